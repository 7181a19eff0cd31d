// The date, for what upstream sees and for what must outlive the process. Never for a timer.
//
// One date for the whole process: what the system's clock said when it was first asked, and from
// then on the pace of the steady clock. So a system clock that is set while the daemon runs ends
// nothing early, sends nothing at once and forgets nothing. The difference is told, and the next
// start takes the system's date over.
//
// Units    Milliseconds of Unix time; times of the steady clock.
// Owns     Three figures.
// Threads  look(), start_after() and start_expecting() on one thread, everything else on any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace stentor::daemon {

class ProcessDate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Milliseconds = std::chrono::milliseconds;

  /// More than this between two looks is a step. A leap second is less, and so is what NTP corrects
  /// on a machine that has run for a while; what expires does so to the second, and nobody asks for
  /// a life of five.
  static constexpr Milliseconds kStep{5000};
  /// After a start on a date before the journal's: time to see it, and to put the clock right.
  static constexpr Milliseconds kExpiryPause{60'000};

  /// `system`: what the system's clock says at `now`, since 1970.
  ProcessDate(TimePoint now, Milliseconds system) noexcept;

  [[nodiscard]] std::uint64_t at(TimePoint now) const noexcept;

  struct Step {
    Milliseconds by;          ///< since the last one
    Milliseconds difference;  ///< how far the system's clock is ahead now
  };
  /// Compares, once a second: each step comes back once. Less than one is followed, forwards only,
  /// by a millisecond each time: readers take no lock, so a date that was set back would be seen
  /// twice. (What NTP slews moves the steady clock as well.)
  std::optional<Step> look(TimePoint now, Milliseconds system) noexcept;

  /// At start: the newest date that the journal knows. When the clock has gone back behind it by a
  /// step, expiry is paused, and how far is returned.
  std::optional<Milliseconds> start_after(std::uint64_t newest_ms, TimePoint now) noexcept;

  /// At start: the date that it ought to be by a clock which nobody sets. When the system's is a
  /// step away, expiry is paused, and how far it is ahead is returned.
  std::optional<Milliseconds> start_expecting(Milliseconds expected, TimePoint now) noexcept;

  /// Nothing expires before this date; 0 when expiry is not paused.
  [[nodiscard]] std::uint64_t expiry_from_ms() const noexcept {
    return expiry_from_ms_.load(std::memory_order_relaxed);  // a lone figure: orders nothing
  }
  /// While expiry is paused after a start under a clock that was set forward: by how much. What is
  /// gone by this much of the date is forgotten only when the pause is over.
  [[nodiscard]] Milliseconds suspected_lead(TimePoint now) const noexcept;
  /// How far the system's clock was ahead at the last look.
  [[nodiscard]] Milliseconds difference() const noexcept {
    return Milliseconds(difference_ms_.load(std::memory_order_relaxed));  // as above
  }

 private:
  void pause_expiry(std::uint64_t date_ms) noexcept;

  std::atomic<std::int64_t> offset_ns_;  // from the steady clock to the date
  std::atomic<std::int64_t> difference_ms_{0};
  std::atomic<std::uint64_t> expiry_from_ms_{0};
  std::atomic<std::int64_t> lead_ms_{0};
  Milliseconds told_{0};  // the difference after the last step
};

/// What the system's clock says, since 1970. For whom it may jump: look() alone.
[[nodiscard]] std::chrono::milliseconds system_date() noexcept;

/// This process's.
[[nodiscard]] ProcessDate& process_date() noexcept;

[[nodiscard]] std::uint64_t wall_clock_ms() noexcept;
/// ProcessDate::suspected_lead() of now; 0 nearly always.
[[nodiscard]] std::uint64_t suspected_lead_ms() noexcept;

}  // namespace stentor::daemon
