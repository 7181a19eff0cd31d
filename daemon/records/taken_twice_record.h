// A segment was in doubt, went again, and the carrier has reported on it under two ids: it took
// both attempts.
//
// Owns     Decoded records view the payload they were decoded from.
// Errors   A payload that does not decode answers nullopt, as in records.h.
// Threads  Pure functions.
// Spec     docs/carriers.md, "Doubt"
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/records/records.h"

namespace stentor::daemon {

/// On disk and of one space with RecordKind: never renumber, never reuse.
inline constexpr std::uint8_t kTakenTwiceRecord = 90;

/// Tells, and changes nothing.
struct TakenTwice {
  Following of;
  std::uint8_t part = 1;
  std::string_view message_id;        ///< that its first receipt came under
  std::string_view other_message_id;  ///< that this one did
};
void encode(const TakenTwice& twice, FieldWriter& out);
[[nodiscard]] std::optional<TakenTwice> decode_taken_twice(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
