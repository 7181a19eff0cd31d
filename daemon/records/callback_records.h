// What the daemon writes into the journal of callbacks that were given up.
//
// Units    Milliseconds of Unix time.
// Owns     Decoded records view the payload they were decoded from.
// Errors   A payload that does not decode answers nullopt, as in records.h.
// Threads  Pure functions.
// Spec     docs/journal.md has the layout of blocks; the payload is documented here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/records/fields.h"

namespace stentor::daemon {

/// On disk and of one space with RecordKind: never renumber, never reuse.
inline constexpr std::uint8_t kDeadLetterRecord = 28;

/// Payload: time (u64), place of the event's record (u64), which of its events (u8), then client,
/// target, reason as texts.
struct DeadLetter {
  std::uint64_t time_ms = 0;
  std::uint64_t position = 0;
  std::uint8_t sub = 0;
  std::string_view client;
  std::string_view target;  ///< its consumer's name
  std::string_view reason;
};
void encode(const DeadLetter& letter, FieldWriter& out);
[[nodiscard]] std::optional<DeadLetter> decode_dead_letter(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
