// Says how many segments may go now, so that no second sees more than the rate and one quantum.
//
// Smooth by construction: credit never grows beyond one quantum of 20 ms (and at least one
// segment), so an idle second is not saved up for a burst.
//
// Units    Segments; rate in segments per second, 0 = no limit. Time is steady_clock, passed in.
// Threads  One thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace stentor::queue {

inline constexpr std::chrono::milliseconds kPacingQuantum{20};

class Pacer {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Begins with one segment of credit.
  explicit Pacer(std::uint32_t segments_per_second, TimePoint now) noexcept;

  /// Keeps the credit earned so far, as far as the new rate allows it.
  void set_rate(std::uint32_t segments_per_second, TimePoint now) noexcept;
  [[nodiscard]] std::uint32_t rate() const noexcept;

  /// How many segments may go at `now`; a large number when there is no limit.
  [[nodiscard]] std::uint32_t available(TimePoint now) noexcept;
  /// Takes `segments`, at most what available() answered: parts of one message are paced each.
  void take(std::uint32_t segments, TimePoint now) noexcept;
  /// When at least one segment will be available; `now` or earlier when it already is.
  [[nodiscard]] TimePoint next(TimePoint now) const noexcept;

 private:
  // Exact for every rate: in one nanosecond a rate of r earns r of these, and a segment costs 10^9.
  using Credit = std::uint64_t;

  [[nodiscard]] Credit credit_max() const noexcept;
  [[nodiscard]] Credit credit_at(TimePoint now) const noexcept;

  std::uint32_t rate_;
  Credit credit_;
  TimePoint counted_until_;
};

}  // namespace stentor::queue
