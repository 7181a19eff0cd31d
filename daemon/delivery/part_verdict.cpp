#include "daemon/delivery/part_verdict.h"

#include <fmt/format.h>

namespace stentor::daemon {

std::string refusal_told(const Sending& refused) {
  std::string told = refused.refusal_status == 0
                         ? std::string("a segment does not fit its submit_sm")
                         : fmt::format("command_status {:#010x}", refused.refusal_status);
  const std::uint16_t parts = refused.subject.parts;
  if (parts < 2) return told;
  std::string taken;
  std::string unsent;
  for (std::uint16_t part = 0; part < parts; ++part) {
    if (part == refused.refused_part) continue;
    std::string& list =
        part < refused.retry.taken.size() && refused.retry.taken[part] ? taken : unsent;
    if (list.size() > 60) {  // the parts of a whole book: the first ones tell where it stopped
      if (!list.ends_with("...")) list += ",...";
      continue;
    }
    list += fmt::format("{}{}", list.empty() ? "" : ",", part + 1);
  }
  told += fmt::format(", part {} of {}", refused.refused_part + 1, parts);
  if (!taken.empty()) told += "; taken: " + taken;
  if (!unsent.empty()) told += "; not sent: " + unsent;
  return told;
}

}  // namespace stentor::daemon
