#include "daemon/config/route_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "daemon/config/callback_reader.h"
#include "daemon/config/carrier_config.h"
#include "daemon/config/units.h"
#include "queue/lanes.h"

namespace stentor::daemon::config_file {
namespace {

constexpr std::size_t kNumericSender = 15;  // likewise
constexpr std::size_t kAlphaSender = 11;    // TS 23.040 section 9.1.2.5: 10 octets, 11 septets

constexpr std::size_t kPatternOctets = 64;  // as long as a campaign's name
// Shares in fractions of a percent; more tell nobody anything.
constexpr std::int64_t kWeightMax = 10'000;

constexpr std::string_view kDigits = "0123456789";

// Where something that may be said only once was said first.
using FirstSaid = std::map<std::string, std::uint32_t, std::less<>>;

void check_carriers(Section& section, std::span<const std::string> names,
                    std::span<const std::string> carriers) {
  for (const std::string& name : names) {
    if (std::ranges::find(carriers, name) != carriers.end()) continue;
    const auto meant = nearest(name, carriers);
    section.mistake("carriers", meant ? fmt::format("there is no carrier \"{}\"; did you mean {}?",
                                                    name, *meant)
                                      : fmt::format("there is no carrier \"{}\"", name));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i)) {
      section.mistake("carriers", fmt::format("names \"{}\" twice", names[i]));
    }
  }
}

// Names in order, or with weights to share: `{ name = "a", weight = 3 }`. Where any has a weight,
// the others have 1.
void read_targets(Section& section, RouteConfig& route) {
  const Value* given = section.find("carriers");
  if (given == nullptr) return section.mistake("", "a route needs carriers");
  const auto* array = std::get_if<Array>(&given->is);
  if (array == nullptr) {
    return section.mistake("carriers", "must be an array of names, or of { name, weight }");
  }
  bool is_shared = false;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const Value& element = (*array)[i];
    const std::string below = fmt::format("carriers[{}]", i);
    if (const auto* name = std::get_if<std::string>(&element.is)) {
      route.carriers.push_back(*name);
      route.weights.push_back(1);
      continue;
    }
    const auto* table = std::get_if<Table>(&element.is);
    if (table == nullptr) {
      section.mistake_at(element.line, below,
                         "must be a name, or { name = \"north\", weight = 3 }");
      continue;
    }
    Section target = section.below(*table, element.line, "route_carrier", below);
    std::string name;
    std::uint32_t weight = 1;
    target.text("name", name, 64);
    target.number("weight", weight, 0, kWeightMax);
    if (target.find("name") == nullptr) target.mistake("", "needs a name");
    is_shared = is_shared || target.find("weight") != nullptr;
    target.finish();
    route.carriers.push_back(std::move(name));
    route.weights.push_back(weight);
  }
  if (array->empty()) section.mistake("carriers", "must name at least one carrier");
  if (!is_shared) route.weights.clear();
  if (is_shared && std::ranges::all_of(route.weights, [](std::uint32_t w) { return w == 0; })) {
    section.mistake("carriers", "all stand by: one needs a weight over 0");
  }
}

// Names of senders or campaigns; a `*` stands at the end only.
void read_patterns(Section& section, std::string_view key, std::vector<std::string>& into) {
  section.texts(key, into);
  if (section.find(key) != nullptr && into.empty() && !section.has_mistake(key)) {
    section.mistake(key, "must name at least one");
  }
  for (const std::string& pattern : into) {
    const std::size_t star = pattern.find('*');
    if (pattern.empty() || pattern.size() > kPatternOctets ||
        (star != std::string::npos && star + 1 != pattern.size())) {
      section.mistake(key, fmt::format("\"{}\" is not a name of up to {} octets with at most a * "
                                       "at its end",
                                       pattern, kPatternOctets));
    }
  }
}

void read_prefixes(Section& section, RouteConfig& route, FirstSaid& said) {
  section.texts("prefix", route.prefixes);
  section.flag("default", route.is_default);
  const bool has_prefix = section.find("prefix") != nullptr;
  // Of certain senders or campaigns: it needs no destination, and may share one with others.
  const bool is_conditional = !route.senders.empty() || !route.campaigns.empty();
  if (has_prefix && route.is_default) {
    section.mistake("default", "prefix is given too; a route is for prefixes or for the rest");
  } else if (!route.is_default && (!has_prefix || route.prefixes.empty()) &&
             (has_prefix || !is_conditional)) {
    if (!has_prefix || !section.has_mistake("prefix")) {
      section.mistake(has_prefix ? "prefix" : "",
                      "a route needs prefix = [\"7\"] or default = true");
    }
  }
  for (const std::string& prefix : route.prefixes) {
    if (prefix.empty() || prefix.size() > kPrefixDigits || prefix.front() == '0' ||
        prefix.find_first_not_of(kDigits) != std::string::npos) {
      section.mistake("prefix", fmt::format("\"{}\" is not a prefix: 1 to {} digits, no + or 0 "
                                            "first",
                                            prefix, kPrefixDigits));
    }
  }
  if (is_conditional) return;
  std::vector<std::string> keys = route.prefixes;
  if (route.is_default) keys.emplace_back("default");
  for (const std::string& key : keys) {
    const std::uint32_t line = section.line_of(route.is_default ? "default" : "prefix");
    const auto [first, is_new] = said.emplace(key, line);
    if (is_new) continue;
    section.mistake(
        route.is_default ? "default" : "prefix",
        route.is_default
            ? fmt::format("line {} has a default route already", first->second)
            : fmt::format("\"{}\" has a route already, on line {}", key, first->second));
  }
}

void check_sender(Section& section, std::string& from) {
  if (section.find("from") == nullptr || section.has_mistake("from")) return;
  const std::string_view digits = std::string_view(from).substr(from.starts_with('+') ? 1 : 0);
  const bool numeric =
      !digits.empty() && digits.find_first_not_of(kDigits) == std::string_view::npos;
  // Which characters GSM 03.38 has is for the encoder to say; here counts what a name may look
  // like.
  const bool printable = std::ranges::all_of(from, [](char c) { return c >= ' ' && c < 0x7f; });
  if (numeric ? digits.size() > kNumericSender
              : from.empty() || from.size() > kAlphaSender || !printable) {
    section.mistake("from", fmt::format("must be a name of 1 to {} ASCII characters or a number "
                                        "of up to {} digits",
                                        kAlphaSender, kNumericSender));
  }
}

RouteConfig read_route(Section& section, std::span<const std::string> carriers, FirstSaid& said) {
  RouteConfig route;
  read_patterns(section, "senders", route.senders);
  read_patterns(section, "campaigns", route.campaigns);
  read_prefixes(section, route, said);

  read_targets(section, route);
  check_carriers(section, route.carriers, carriers);

  section.text("from", route.from, 64);
  check_sender(section, route.from);

  constexpr std::pair<std::string_view, encoding::Replacement> kReplace[] = {
      {"none", encoding::Replacement::none},
      {"safe", encoding::Replacement::safe},
      {"transliterate", encoding::Replacement::transliterate}};
  section.choice("replace", route.replacement, kReplace);
  section.finish();
  return route;
}

void read_roles(Section& section, ClientConfig& client) {
  std::vector<std::string> roles{"submit"};
  section.texts("roles", roles);
  for (const std::string& role : roles) {
    if (role == "submit") {
      client.may_submit = true;
    } else if (role == "observe") {
      client.may_observe = true;
    } else if (role == "admin") {
      client.is_admin = true;
    } else {
      section.mistake("roles", fmt::format("\"{}\" is not a role: submit, observe, admin", role));
    }
  }
  if (roles.empty() && !section.has_mistake("roles")) {
    section.mistake("roles", "must name at least one of submit, observe, admin");
  }
}

// A uid that matched two clients would belong to whichever stands first: say so instead.
void check_once(Section& section, std::string_view key, std::span<const std::string> names,
                FirstSaid& said) {
  for (const std::string& name : names) {
    if (name.empty()) section.mistake(key, "must not hold an empty name");
    const auto [first, is_new] = said.emplace(name, section.line_of(key));
    if (is_new) continue;
    section.mistake(key, fmt::format("\"{}\" stands on line {} already", name, first->second));
  }
}

}  // namespace

std::vector<RouteConfig> read_routes(std::vector<Section> sections,
                                     std::span<const std::string> carriers) {
  std::vector<RouteConfig> routes;
  routes.reserve(sections.size());
  FirstSaid said;
  for (Section& section : sections) routes.push_back(read_route(section, carriers, said));
  return routes;
}

std::vector<ClientConfig> read_clients(std::vector<Section> sections,
                                       std::span<const std::string> carriers,
                                       const SecretSources& secrets) {
  std::vector<ClientConfig> clients;
  FirstSaid names;
  FirstSaid users;
  FirstSaid groups;
  for (Section& section : sections) {
    ClientConfig client;
    section.text("name", client.name, 64);
    if (section.find("name") == nullptr) section.mistake("", "a client needs a name");
    if (!section.has_mistake("name") && section.find("name") != nullptr && !is_name(client.name)) {
      section.mistake("name", "must be 1 to 32 letters, digits, '-', '_' and '.', no dot first");
    }
    const std::vector<std::string> name{client.name};
    if (!client.name.empty()) check_once(section, "name", name, names);
    section.texts("users", client.users);
    section.texts("groups", client.groups);
    check_once(section, "users", client.users, users);
    check_once(section, "groups", client.groups, groups);
    if (client.users.empty() && client.groups.empty()) {
      section.mistake("", "matches nobody: name users or groups");
    }
    read_roles(section, client);
    section.texts("senders", client.senders);
    section.texts("carriers", client.carriers);
    check_carriers(section, client.carriers, carriers);
    section.number("rate", client.rate, 0, 10'000'000);
    section.number("max_waiting", client.waiting_max, 1, 1'000'000'000'000);
    std::uint32_t weight = client.weight;
    section.number("weight", weight, 1, queue::kWeightMax);
    client.weight = static_cast<std::uint16_t>(weight);
    section.flag("binary", client.may_send_binary);
    if (auto callback = section.table("callback", "client.callback")) {
      client.callback = read_callback(*callback, secrets);
    }
    section.finish();
    clients.push_back(std::move(client));
  }
  return clients;
}

}  // namespace stentor::daemon::config_file
