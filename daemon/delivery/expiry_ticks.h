// When a ticket expires: in steps of 25 ms, counted from the second before this process began.
//
// A ticket has 32 bits for it and lives no longer than the process: seconds of Unix time would fill
// them as well, and be forty times as coarse. What expires between two steps does so at the later
// one, never early; who sends asks the record for the exact time.
//
// Units    Milliseconds of Unix time; steps.
// Errors   What expires more than 3.4 years after the process began does so in a later process.
// Threads  A plain value.
// Spec     docs/queue.md, "Expiry"
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace stentor::daemon {

class ExpiryTicks {
 public:
  static constexpr std::uint64_t kTickMs = 25;

  /// From a whole second, so that whole seconds are exact.
  explicit ExpiryTicks(std::uint64_t began_ms) noexcept
      : from_ms_(began_ms < 2000 ? 0 : (began_ms / 1000 - 1) * 1000) {}

  /// The first step that is not before `expires_ms`; at least 1, which has always been.
  [[nodiscard]] std::uint32_t of(std::uint64_t expires_ms) const noexcept {
    if (expires_ms <= from_ms_) return 1;
    const std::uint64_t ticks = (expires_ms - from_ms_ + kTickMs - 1) / kTickMs;
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(ticks, 1, kNeverHere));
  }
  /// The last step that has been: 0 expires nothing.
  [[nodiscard]] std::uint32_t at(std::uint64_t date_ms) const noexcept {
    if (date_ms <= from_ms_) return 0;
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>((date_ms - from_ms_) / kTickMs, kNeverHere - 1));
  }
  [[nodiscard]] std::uint64_t ms_of(std::uint32_t tick) const noexcept {
    return from_ms_ + tick * kTickMs;
  }

 private:
  // Below what a lane takes for "none".
  static constexpr std::uint64_t kNeverHere = std::numeric_limits<std::uint32_t>::max() - 1;

  std::uint64_t from_ms_;
};

}  // namespace stentor::daemon
