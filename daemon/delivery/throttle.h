// Finds the rate a carrier takes when it says "too fast" or "full", and lets it climb again.
//
// Additive increase, multiplicative decrease: the first throttled answer of a burst cuts the rate
// to 70 % of what went through in the last second; each second without one adds 5 %. A window of
// answers to one burst counts once. A full queue needs more: half, and five quiet seconds in which
// it can drain before the rate climbs.
//
// Units    Segments per second; 0 = no limit. Time is steady_clock, passed in.
// Threads  One thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace stentor::daemon {

class Throttle {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Throttle(std::uint32_t configured) : configured_(configured), current_(configured) {}

  /// The carrier accepted a segment.
  void on_accepted(TimePoint now) noexcept {
    roll(now);
    ++accepted_;
  }

  /// The carrier throttled. True when the rate changed.
  [[nodiscard]] bool on_throttled(TimePoint now) noexcept { return cut(now, 70, kQuiet); }
  /// Its queue is full. True when the rate changed.
  [[nodiscard]] bool on_queue_full(TimePoint now) noexcept { return cut(now, 50, kDrain); }

  /// Call about once a second. True when the rate changed.
  [[nodiscard]] bool on_second(TimePoint now) noexcept {
    roll(now);
    if (current_ == configured_ || now < climb_after_) return false;
    const std::uint32_t step = std::max<std::uint32_t>(1, current_ / 20);
    current_ += step;
    if (configured_ != 0) {
      current_ = std::min(current_, configured_);
    } else if (current_ > 4 * std::max({accepted_, accepted_before_, kUnheldRate})) {
      current_ = 0;  // four times what there is to send: the limit limits nothing any more
    }
    return true;
  }

  [[nodiscard]] std::uint32_t rate() const noexcept { return current_; }
  [[nodiscard]] bool is_cut() const noexcept { return current_ != configured_; }

 private:
  static constexpr std::uint32_t kRateMin = 1;
  static constexpr std::uint32_t kUnheldRate = 1000;
  static constexpr std::chrono::milliseconds kOneBurst{500};
  static constexpr std::chrono::milliseconds kQuiet{1000};
  static constexpr std::chrono::milliseconds kDrain{5000};

  [[nodiscard]] bool cut(TimePoint now, std::uint32_t percent,
                         std::chrono::milliseconds quiet) noexcept {
    roll(now);
    climb_after_ = std::max(climb_after_, now + quiet);
    if (now - last_cut_ < kOneBurst) return false;
    last_cut_ = now;
    const std::uint64_t through = std::max({accepted_, accepted_before_, kRateMin});
    const std::uint64_t basis =
        current_ == 0 ? through : std::min<std::uint64_t>(current_, through);
    current_ = std::max(kRateMin, static_cast<std::uint32_t>(basis * percent / 100));
    return true;
  }

  void roll(TimePoint now) noexcept {
    if (now - second_begin_ < std::chrono::seconds(1)) return;
    accepted_before_ = now - second_begin_ < std::chrono::seconds(2) ? accepted_ : 0;
    accepted_ = 0;
    second_begin_ = now;
  }

  std::uint32_t configured_;
  std::uint32_t current_;
  std::uint32_t accepted_ = 0;
  std::uint32_t accepted_before_ = 0;
  TimePoint second_begin_{};
  TimePoint last_cut_{};
  TimePoint climb_after_{};
};

}  // namespace stentor::daemon
