// What the daemon writes into the journal of people who want no more messages.
//
// Units    Milliseconds of Unix time.
// Owns     Decoded records view the payload they were decoded from; the list of numbers is their
//          own.
// Errors   A payload that does not decode answers nullopt, as in records.h.
// Threads  Pure functions.
// Spec     docs/journal.md has the layout of blocks; the payload is documented here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/records/fields.h"
#include "daemon/records/message_id.h"

namespace stentor::daemon {

/// On disk and of one space with RecordKind: never renumber, never reuse.
inline constexpr std::uint8_t kOptOutRecord = 27;

/// Values are on disk.
enum class OptOutBy : std::uint8_t { reply = 1, request = 2 };
[[nodiscard]] std::string_view name_of(OptOutBy by) noexcept;

/// Payload: time (u64), is_out (u8), by (u8), inbound id (2 × u64, 0 without), then client,
/// carrier, sender, word as texts, the count of numbers (varint), the numbers as texts.
struct OptOutChange {
  std::uint64_t time_ms = 0;
  bool is_out = true;  ///< false: wants messages again
  OptOutBy by = OptOutBy::reply;
  MessageId inbound;         ///< the reply that said so
  std::string_view client;   ///< who asked, or whose reply it was
  std::string_view carrier;  ///< the reply's
  std::string_view sender;   ///< whose messages it is about; empty: all
  std::string_view word;     ///< what was said, in normal form
  std::vector<std::string_view> numbers;
};
void encode(const OptOutChange& change, FieldWriter& out);
[[nodiscard]] std::optional<OptOutChange> decode_opt_out(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
