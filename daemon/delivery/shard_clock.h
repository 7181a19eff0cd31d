// What time it is for the carriers of a shard: the machine's, or a test's own.
//
// Units    steady_clock for timers; milliseconds of Unix time where a date is meant.
// Threads  Any.
#pragma once

#include <chrono>
#include <cstdint>

#include "daemon/delivery/expiry_ticks.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {

class ShardClock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  ShardClock() = default;
  virtual ~ShardClock() = default;
  ShardClock(const ShardClock&) = delete;
  ShardClock& operator=(const ShardClock&) = delete;

  [[nodiscard]] virtual TimePoint steady() const noexcept {
    return std::chrono::steady_clock::now();
  }
  [[nodiscard]] virtual std::uint64_t wall_ms() const noexcept { return wall_clock_ms(); }
  /// Nothing expires before this date; 0 unless the process started on a doubtful one.
  [[nodiscard]] virtual std::uint64_t expiry_from_ms() const noexcept {
    return process_date().expiry_from_ms();
  }

  /// How tickets say when they expire: one way for all carriers, since they hand tickets on.
  [[nodiscard]] virtual const ExpiryTicks& ticks() const noexcept {
    static const ExpiryTicks ticks(wall_clock_ms());
    return ticks;
  }

  /// The machine's.
  [[nodiscard]] static const ShardClock& of_machine() noexcept {
    static const ShardClock clock;
    return clock;
  }
};

}  // namespace stentor::daemon
