#include "daemon/config/describe_delivery.h"

#include <fmt/format.h>

#include "daemon/config/units.h"

namespace stentor::daemon::config_file {
namespace {

std::string_view word(StatusClass of) {
  switch (of) {
    case StatusClass::throttle: return "throttle";
    case StatusClass::queue_full: return "queue_full";
    case StatusClass::temporary: return "temporary";
    case StatusClass::unknown: return "unknown";
    case StatusClass::permanent: return "permanent";
    case StatusClass::doubt: return "doubt";
    case StatusClass::bind: return "bind";
  }
  return {};
}

std::string write_rule(std::string_view name, const RetryRule& rule) {
  std::string out = fmt::format("{} = {{ ", name);
  if (rule.attempts > 0) out += fmt::format("attempts = {}, ", rule.attempts);
  if (!rule.pauses.empty()) {
    out += "pauses = [";
    for (std::size_t i = 0; i < rule.pauses.size(); ++i) {
      out += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", write_duration(rule.pauses[i]));
    }
    out += "], ";
  }
  return out + fmt::format("within = \"{}\" }}", write_duration(rule.within));
}

std::string_view national_word(std::optional<bool> is_national) {
  if (!is_national) return "";
  return *is_national ? ", national = true" : ", national = false";
}

}  // namespace

std::string write_status(const std::vector<StatusOverlay>& status) {
  std::string out = "{ ";
  for (std::size_t i = 0; i < status.size(); ++i) {
    const StatusOverlay& overlay = status[i];
    out += fmt::format("{}0x{:x} = ", i == 0 ? "" : ", ", overlay.command_status);
    out += overlay.code.empty()
               ? fmt::format("\"{}\"", word(overlay.is))
               : fmt::format("{{ class = \"{}\", code = \"{}\" }}", word(overlay.is), overlay.code);
  }
  return out + " }";
}

std::string write_retry(const RetryConfig& retry) {
  return fmt::format("{{ {}, {}, {}, {}, {}, {} }}", write_rule("temporary", retry.temporary),
                     write_rule("unknown", retry.unknown), write_rule("bind", retry.bind),
                     write_rule("doubt", retry.doubt), write_rule("queue_full", retry.queue_full),
                     write_rule("throttle", retry.throttle));
}

std::string write_targets(const RouteConfig& route) {
  std::string out = "[";
  for (std::size_t i = 0; i < route.carriers.size(); ++i) {
    if (i > 0) out += ", ";
    out += route.weights.empty() ? fmt::format("\"{}\"", route.carriers[i])
                                 : fmt::format("{{ name = \"{}\", weight = {} }}",
                                               route.carriers[i], route.weights[i]);
  }
  return out + "]";
}

std::string write_rewrites(const std::vector<Rewrite>& rewrites) {
  std::string out = "[";
  for (std::size_t i = 0; i < rewrites.size(); ++i) {
    out += fmt::format("{}{{ from = \"{}\", to = \"{}\"{} }}", i == 0 ? "" : ", ", rewrites[i].from,
                       rewrites[i].to, national_word(rewrites[i].is_national));
  }
  return out + "]";
}

std::string write_limits(const std::vector<RateLimit>& limits) {
  std::string out = "[";
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const RateLimit& limit = limits[i];
    out += fmt::format("{}{{ {} = \"{}\", rate = {} }}", i == 0 ? "" : ", ",
                       limit.sender.empty() ? "prefix" : "sender",
                       limit.sender.empty() ? limit.prefix : limit.sender, limit.rate);
  }
  return out + "]";
}

}  // namespace stentor::daemon::config_file
