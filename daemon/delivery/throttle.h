// Finds the rate a carrier takes when it says "too fast" or "full", and lets it climb again.
//
// Additive increase, multiplicative decrease: the first throttled answer of a burst cuts the rate
// to 70 % of what went through in the last second; each second without one adds the same step, a
// twentieth of what went through when it was first cut. A window of answers to one burst counts
// once. A full queue needs more: half, and five quiet seconds in which it can drain before the rate
// climbs.
//
// What went through is counted in tenths of a second since segments began to. What has lasted for
// less than half a second tells no rate: then the present one is cut. Where none is configured, and
// less than that or next to nothing went through, it climbs by a step of its own until a later cut
// tells more: a segment at a quiet time, for a handset whose queue is full, says nothing of what
// the carrier takes.
//
// Units    Segments per second; 0 = no limit. Time is steady_clock, passed in.
// Threads  One thread.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace stentor::daemon {

class Throttle {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Throttle(std::uint32_t configured) : configured_(configured), current_(configured) {}

  /// The carrier accepted a segment.
  void on_accepted(TimePoint now) noexcept {
    roll(now);
    if (in_second() == 0) began_ = now;
    ++tenths_[index_];
  }

  /// The carrier throttled. True when the rate changed.
  [[nodiscard]] bool on_throttled(TimePoint now) noexcept { return cut(now, 70, kQuiet); }
  /// Its queue is full. True when the rate changed.
  [[nodiscard]] bool on_queue_full(TimePoint now) noexcept { return cut(now, 50, kDrain); }

  /// Call about once a second. True when the rate changed.
  [[nodiscard]] bool on_second(TimePoint now) noexcept {
    roll(now);
    if (current_ == configured_ || now < climb_after_) return false;
    current_ += step_;
    if (configured_ != 0) {
      current_ = std::min(current_, configured_);
    } else if (current_ > 4 * std::max(in_second(), kUnheldRate)) {
      current_ = 0;  // four times what there is to send: the limit limits nothing any more
    }
    return true;
  }

  [[nodiscard]] std::uint32_t rate() const noexcept { return current_; }
  [[nodiscard]] bool is_cut() const noexcept { return current_ != configured_; }

 private:
  using Milliseconds = std::chrono::milliseconds;
  static constexpr std::uint32_t kRateMin = 1;
  static constexpr std::uint32_t kUnheldRate = 1000;
  static constexpr std::uint32_t kUnknownStep = kUnheldRate / 20;  // as if it were that
  static constexpr Milliseconds kOneBurst{500};
  static constexpr Milliseconds kQuiet{1000};
  static constexpr Milliseconds kDrain{5000};
  static constexpr Milliseconds kTenth{100};
  static constexpr Milliseconds kSecond{1000};
  static constexpr Milliseconds kMeasured{500};      // five tenths: to a fifth of the rate
  static constexpr std::uint32_t kMeasuredMin = 10;  // fewer tell what was sent, not what is taken

  [[nodiscard]] bool cut(TimePoint now, std::uint32_t percent, Milliseconds quiet) noexcept {
    roll(now);
    climb_after_ = std::max(climb_after_, now + quiet);
    if (now - last_cut_ < kOneBurst) return false;
    last_cut_ = now;
    const std::uint64_t basis = std::max<std::uint64_t>(kRateMin, basis_of(now));
    const auto step = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, basis / 20));
    const bool is_measured =
        configured_ != 0 || (in_second() >= kMeasuredMin && now - began_ >= kMeasured);
    if (!is_cut()) {
      step_ = is_measured ? step : std::max(step, kUnknownStep);
      is_step_known_ = is_measured;
    } else if (!is_step_known_ && is_measured) {
      step_ = std::min(step_, step);
      is_step_known_ = true;
    }
    current_ = std::max(kRateMin, static_cast<std::uint32_t>(basis * percent / 100));
    return true;
  }

  // What is cut: what goes through, where that is known, and never more than the present rate.
  [[nodiscard]] std::uint64_t basis_of(TimePoint now) const noexcept {
    const std::uint64_t segments = in_second();
    const auto lasted = std::chrono::duration_cast<Milliseconds>(now - began_);
    if (current_ != 0 && (segments == 0 || lasted < kMeasured)) return current_;
    // The oldest tenth that is remembered is whole, the newest is not.
    const auto remembered =
        kSecond - kTenth + std::chrono::duration_cast<Milliseconds>(now - tenth_begin_);
    // Where there is no rate to cut, half a second is the least: a carrier that counts by the
    // second has granted a burst for the whole of it.
    const Milliseconds over = std::max(kMeasured, std::min(lasted, remembered));
    const std::uint64_t through = segments * 1000 / static_cast<std::uint64_t>(over.count());
    return current_ == 0 ? through : std::min<std::uint64_t>(current_, through);
  }

  [[nodiscard]] std::uint32_t in_second() const noexcept {
    std::uint32_t sum = 0;
    for (const std::uint32_t tenth : tenths_) sum += tenth;
    return sum;
  }

  // Forgets the tenths that are more than a second old.
  void roll(TimePoint now) noexcept {
    if (now - tenth_begin_ >= kSecond) {
      tenths_.fill(0);
      tenth_begin_ = now;
      return;
    }
    while (now - tenth_begin_ >= kTenth) {
      index_ = (index_ + 1) % tenths_.size();
      tenths_[index_] = 0;
      tenth_begin_ += kTenth;
    }
  }

  std::uint32_t configured_;
  std::uint32_t current_;
  std::uint32_t step_ = 1;
  bool is_step_known_ = true;
  std::array<std::uint32_t, 10> tenths_{};
  std::size_t index_ = 0;
  TimePoint tenth_begin_{};
  TimePoint began_{};  // what goes through now: after a second without
  TimePoint last_cut_{};
  TimePoint climb_after_{};
};

}  // namespace stentor::daemon
