// How a doubt ended: an operator's word, evidence, or the time that was waited for it.
//
// Errors   A payload that does not decode answers nullopt.
// Threads  Pure functions.
// Spec     docs/carriers.md, "Doubt"
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/records/records.h"

namespace stentor::daemon {

/// Values are on disk: never renumber.
enum class DoubtEnd : std::uint8_t {
  said_sent = 1,    ///< somebody knows that the carrier has it
  said_unsent = 2,  ///< somebody knows that it has not: goes again
  abandoned = 3,    ///< somebody gave it up: ends as unknown
  receipt = 4,      ///< a receipt proves that the carrier has it
  waited = 5,       ///< no evidence came in time: the policy's next step
  cancelled = 6,
  expired = 7
};
[[nodiscard]] std::string_view name_of(DoubtEnd end) noexcept;

/// Kind `resolved`. With a final state it is the message's verdict; else the message goes on.
struct Resolved {
  Following of;
  DoubtEnd end = DoubtEnd::waited;
  std::string_view by;  ///< the client who said so; empty: nobody
  std::string_view code;
  std::string_view detail;
};
void encode(const Resolved& resolved, FieldWriter& out);
[[nodiscard]] std::optional<Resolved> decode_resolved(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
