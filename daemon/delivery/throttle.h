// Finds the rate a carrier takes when it says "too fast", and lets it climb again.
//
// Additive increase, multiplicative decrease: the first throttled answer of a burst cuts the rate
// to 70 % of what went through in the last second; each second without one adds 5 %. A window of
// answers to one burst counts once.
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
  [[nodiscard]] bool on_throttled(TimePoint now) noexcept {
    roll(now);
    if (now - last_cut_ < kOneBurst) return false;
    last_cut_ = now;
    const std::uint32_t through = std::max(accepted_, accepted_before_);
    const std::uint32_t basis = current_ == 0 ? std::max(through, kRateMin)
                                              : std::min(current_, std::max(through, kRateMin));
    current_ = std::max(kRateMin, basis * 7 / 10);
    return true;
  }

  /// Call about once a second. True when the rate changed.
  [[nodiscard]] bool on_second(TimePoint now) noexcept {
    roll(now);
    if (current_ == configured_ || now - last_cut_ < kQuiet) return false;
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
};

}  // namespace stentor::daemon
