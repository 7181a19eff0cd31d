// What the journal says of its carried excerpt: from which file on it goes, so that a start knows
// that it must be there.
//
// Units    Octets.
// Owns     Nothing.
// Errors   A payload that does not decode answers nullopt, as in records.h.
// Threads  Pure functions.
// Spec     docs/journal.md, "Carried excerpts"
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "daemon/records/fields.h"

namespace stentor::daemon {

/// On disk and of one space with RecordKind: never renumber, never reuse. Written when an excerpt
/// has got its name, and at the head of each file as long as there is one; the newest counts.
inline constexpr std::uint8_t kCarriedRecord = 50;

struct CarriedNow {
  std::uint32_t before = 0;  ///< the first file it says nothing of; 0: none is needed any more
  std::uint64_t octets = 0;
};
void encode(const CarriedNow& carried, FieldWriter& out);
[[nodiscard]] std::optional<CarriedNow> decode_carried(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
