#include "daemon/config/upstream_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace stentor::daemon::config_file {
namespace {

constexpr std::size_t kAddressOctetsMax = 20;  // SMPP 3.4 section 4.6.1: 21 with the NUL
constexpr std::size_t kKeywordOctetsMax = 64;

bool is_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::vector<InboundRule> read_inbound(std::vector<Section> sections,
                                      std::span<const std::string> clients) {
  std::vector<InboundRule> rules;
  std::set<std::tuple<std::string, std::string>> said;
  for (Section& section : sections) {
    InboundRule rule;
    section.text("to", rule.to, kAddressOctetsMax);
    section.text("keyword", rule.keyword, kKeywordOctetsMax);
    section.text("client", rule.client, 64);
    if (!rule.to.empty() && !is_number(rule.to)) {
      section.mistake("to", "must be a short code, or a number with + in front");
    }
    if (section.find("client") == nullptr) {
      section.mistake("", "a rule needs the client that its messages are for");
    } else if (std::ranges::find(clients, rule.client) == clients.end()) {
      const auto meant = nearest(rule.client, clients);
      section.mistake("client", meant ? fmt::format("there is no client \"{}\"; did you mean {}?",
                                                    rule.client, *meant)
                                      : fmt::format("there is no client \"{}\"", rule.client));
    }
    if (!said.emplace(rule.to, rule.keyword).second) {
      section.mistake("", "another rule has the same number and keyword");
    }
    section.finish();
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace stentor::daemon::config_file
