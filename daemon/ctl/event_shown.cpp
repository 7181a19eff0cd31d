#include "daemon/ctl/event_shown.h"

#include <fmt/format.h>

#include <array>

#include "daemon/ctl/shown.h"

namespace stentor::ctl {

std::string event_shown(const JsonValue& event) {
  std::string line = fmt::format("{}  {:<9}", printable(event.text("time", "-")),
                                 printable(event.text("type", "-")));
  const auto add = [&](std::string_view before, std::string_view key) {
    const JsonValue* value = event.find(key);
    if (value != nullptr) line.append("  ").append(before).append(printable(value->shown()));
  };
  add("", "id");
  add("ref ", "ref");
  add("from ", "from");
  add("to ", "to");
  add("by ", "carrier");
  if (event.find("part") != nullptr) {
    line += fmt::format("  part {} of {}", event.number("part"), event.number("parts"));
  }
  add("attempt ", "attempt");
  add("", "code");
  add("", "detail");
  add("corrects ", "corrects");
  if (event.flag("possible_duplicate")) line += "  possible duplicate";
  add("missed ", "missed");
  add("missed at least ", "missed_at_least");
  add("missed at most ", "missed_at_most");
  add("", "reason");
  add("", "text");
  return line;
}

std::string error_shown(const JsonValue& reply) {
  const JsonValue& error = reply.object("error");
  const std::string code = error.text("code", reply.text("code", "no code given"));
  const std::string detail = error.text("detail", reply.text("detail"));
  std::string line = printable(code);
  if (!detail.empty()) line.append(": ").append(printable(detail));
  if (const JsonValue* wait = error.find("retry_after")) {
    line.append(" (try again in ").append(printable(wait->shown())).append(" s)");
  }
  return line;
}

bool is_final(std::string_view type) {
  constexpr std::array<std::string_view, 6> kFinal{"delivered", "failed",  "expired",
                                                   "cancelled", "unknown", "sent_final"};
  for (const std::string_view each : kFinal) {
    if (type == each) return true;
  }
  return false;
}

}  // namespace stentor::ctl
