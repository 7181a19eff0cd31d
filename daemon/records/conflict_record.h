// A final receipt that contradicts an earlier one: what it said, of which part, under which id.
//
// Units    Milliseconds of Unix time; dates as the carrier wrote them.
// Owns     Decoded records view the payload they were decoded from.
// Errors   A payload that does not decode answers nullopt, as in records.h. An older one ends
//          behind `detail`.
// Threads  Pure functions.
// Spec     docs/carriers.md, "Receipts"
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/records/records.h"

namespace stentor::daemon {

/// Payload of RecordKind::conflict: that of a Verdict without `by`, then the part
/// (u8), id and done date as texts, and a u8 of 1 where its id did not tell whose it is.
struct Conflict {
  Following of;
  std::string_view code;
  std::string_view detail;
  std::uint8_t part = 0;  ///< 0: an older record, which has nothing of what follows
  std::string_view message_id;
  std::string_view done_date;
  bool by_reference = false;
};
void encode(const Conflict& conflict, FieldWriter& out);
[[nodiscard]] std::optional<Conflict> decode_conflict(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
