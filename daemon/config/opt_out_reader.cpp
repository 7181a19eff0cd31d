#include "daemon/config/opt_out_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stentor::daemon::config_file {
namespace {

constexpr std::size_t kReplyOctetsMax = 1024;  // a confirmation is a message or two

void check_words(Section& section, std::string_view key, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.empty() || word.find_first_of(" \t\n") != std::string::npos) {
      section.mistake(key, fmt::format("\"{}\" is not one word", word));
    }
  }
}

void read_exempt(Section& section, std::span<const std::string> clients, OptOutConfig& into) {
  std::vector<std::string> priorities;
  section.texts("priorities", priorities);
  for (const std::string& priority : priorities) {
    if (priority == "urgent") {
      into.urgent_is_exempt = true;
    } else {
      section.mistake("priorities", fmt::format("\"{}\": only \"urgent\" can be exempt", priority));
    }
  }
  section.texts("campaigns", into.exempt_campaigns);
  section.texts("clients", into.exempt_clients);
  for (const std::string& name : into.exempt_clients) {
    if (std::ranges::find(clients, name) != clients.end()) continue;
    section.mistake("clients", fmt::format("there is no client \"{}\"", name));
  }
  section.finish();
}

}  // namespace

void read_opt_out(Section& section, std::span<const std::string> clients, OptOutConfig& into) {
  section.texts("stop", into.stop);
  section.texts("stop_alone", into.stop_alone);
  section.texts("start", into.start);
  check_words(section, "stop", into.stop);
  check_words(section, "stop_alone", into.stop_alone);
  check_words(section, "start", into.start);
  constexpr std::pair<std::string_view, bool> kScopes[] = {{"sender", false}, {"all", true}};
  section.choice("scope", into.for_all, kScopes);
  section.text("stop_reply", into.stop_reply, kReplyOctetsMax);
  section.text("start_reply", into.start_reply, kReplyOctetsMax);
  if (auto exempt = section.table("exempt", "opt_out.exempt")) {
    read_exempt(*exempt, clients, into);
  }
  section.finish();
}

}  // namespace stentor::daemon::config_file
