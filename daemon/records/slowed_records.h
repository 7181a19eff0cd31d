// That a carrier told a message to go slower for the first time: written where its configuration
// bounds the time of that (`retry`, `within`), which is counted from here.
//
// Units    Milliseconds of Unix time.
// Owns     Decoded records view the payload they were decoded from.
// Errors   A payload that does not decode answers nullopt, as in records.h.
// Threads  Pure functions.
// Spec     docs/carriers.md, "Statuses"
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "daemon/records/records.h"

namespace stentor::daemon {

/// On disk and of one space with RecordKind: never renumber, never reuse. Kept as long as its
/// message lives. Nobody is told of it: the message stands where it stood, its intent holds.
inline constexpr std::uint8_t kSlowedRecord = 60;

struct Slowed {
  Following of;
  std::uint32_t command_status = 0;
};
void encode(const Slowed& slowed, FieldWriter& out);
[[nodiscard]] std::optional<Slowed> decode_slowed(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
