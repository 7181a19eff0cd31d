// What a carrier answered when it was asked to call back a segment that it had taken.
//
// Units    Milliseconds of Unix time.
// Owns     Decoded records view the payload they were decoded from.
// Errors   A payload that does not decode answers nullopt, as in records.h.
// Threads  Pure functions.
// Spec     docs/protocol.md, "cancel"; SMPP 3.4 section 4.9
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/records/records.h"

namespace stentor::daemon {

/// On disk and of one space with RecordKind: never renumber, never reuse.
inline constexpr std::uint8_t kCancelAnsweredRecord = 49;

/// Tells, and changes nothing: a segment that was cancelled has a receipt record of its own.
struct CancelAnswered {
  Following of;
  std::uint8_t part = 1;
  bool is_answered = false;  ///< else the bind was lost, or nothing came in time
  std::uint32_t command_status = 0;
  std::string_view message_id;  ///< the carrier's
  std::string_view by;          ///< the client who asked
};
void encode(const CancelAnswered& answered, FieldWriter& out);
[[nodiscard]] std::optional<CancelAnswered> decode_cancel_answered(
    std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
