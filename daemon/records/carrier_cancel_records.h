// That all which waits at a carrier is cancelled: what was accepted for it, or had moved to it,
// before this record's place, and was neither under way nor in doubt.
//
// Units    Milliseconds of Unix time.
// Owns     Decoded records view the payload they were decoded from.
// Errors   A payload that does not decode answers nullopt, as in records.h.
// Threads  Pure functions.
// Spec     docs/protocol.md, "carrier"
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/records/fields.h"

namespace stentor::daemon {

/// On disk and of one space with RecordKind: never renumber, never reuse. Each message gets a
/// verdict of its own; this one says which are still to have it. A carrier's last one stands for
/// those before it, since what they meant was still waiting there.
inline constexpr std::uint8_t kCarrierCancelledRecord = 63;

struct CarrierCancelled {
  std::string_view carrier;
  std::uint64_t time_ms = 0;
  std::string_view client;  ///< who asked
};
void encode(const CarrierCancelled& cancelled, FieldWriter& out);
[[nodiscard]] std::optional<CarrierCancelled> decode_carrier_cancelled(
    std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
