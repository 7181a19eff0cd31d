// Why a message waited: cuts one wait into stretches, each with its cause.
//
// What is certain about the message itself (a time asked for, a retry, its hours, its campaign's
// pause) comes before what held its carrier back; what nobody knows is left out, save where the
// carrier's log begins later than the wait: that was before the daemon's latest start.
//
// Units    Milliseconds of Unix time.
// Owns     Nothing; causes are literals.
// Threads  Pure, save that OpenHours belongs to one thread.
// Spec     docs/protocol.md, "message"
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/hours/open_hours.h"
#include "daemon/records/records.h"

namespace stentor::daemon {

struct Stretch {
  std::uint64_t from_ms = 0;
  std::uint64_t until_ms = 0;
  std::string_view cause;  ///< a literal
  friend bool operator==(const Stretch&, const Stretch&) = default;
};

/// One wait, with all that is known of it.
struct Wait {
  std::uint64_t from_ms = 0;
  std::uint64_t until_ms = 0;
  std::uint64_t due_ms = 0;    ///< it was not to go before; 0: at once
  std::string_view due_cause;  ///< not_before, retry
  std::optional<Hours> hours{};
  std::vector<Stretch> pauses{};    ///< of its campaign, in order
  std::vector<WaitSpan> carrier{};  ///< what held the carrier back, up to `until_ms`
};

/// In order of time; stretches shorter than a hundredth of a second are left out.
[[nodiscard]] std::vector<Stretch> causes_of(const Wait& wait, OpenHours& open_hours);

/// "rate", "link_down", …; "turn" where nothing held the carrier back.
[[nodiscard]] std::string_view cause_of_limiter(std::uint8_t limiter) noexcept;

}  // namespace stentor::daemon
