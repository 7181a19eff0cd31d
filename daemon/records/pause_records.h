// That one message was paused or may go on again, and by whose word.
//
// Units    Milliseconds of Unix time.
// Owns     Decoded records view the payload they were decoded from.
// Errors   A payload that does not decode answers nullopt, as in records.h.
// Threads  Pure functions.
// Spec     docs/protocol.md, "pause and resume"
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/records/records.h"

namespace stentor::daemon {

/// On disk and of one space with RecordKind: never renumber, never reuse. Kept as long as its
/// message lives; the last one counts.
inline constexpr std::uint8_t kPausedRecord = 61;

struct Paused {
  Following of;
  bool is_paused = true;  ///< false: it goes on
  std::string_view by;    ///< the client who asked
};
void encode(const Paused& paused, FieldWriter& out);
[[nodiscard]] std::optional<Paused> decode_paused(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
