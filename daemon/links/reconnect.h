// When a lost link is tried again: growing pauses with jitter, slow for refused credentials.
//
// Units    Time is steady_clock, passed in.
// Threads  One thread.
// Spec     reliability.md P7: 1 s doubling to 60 s, full jitter, reset after 30 s of a stable bind;
//          refused credentials at least 60 s, where the configuration says nothing else; never
//          more than one attempt a second for a carrier.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace stentor::daemon {

class Reconnect {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  Reconnect(std::uint64_t seed, std::chrono::milliseconds refused_pause)
      : random_(seed), refused_pause_(refused_pause) {}

  void on_bound(TimePoint now) noexcept { bound_since_ = now; }
  /// We left it ourselves, and it was as good as one that stood for long.
  void on_left_well() noexcept { failures_ = 0; }

  /// The link is down: how long to wait before the next attempt.
  [[nodiscard]] Duration pause(TimePoint now, bool credentials_refused) {
    if (bound_since_ != TimePoint{} && now - bound_since_ >= kStable) failures_ = 0;
    bound_since_ = TimePoint{};
    const auto grown = kPauseMin * (1u << std::min(failures_, kDoublings));
    ++failures_;
    if (credentials_refused) return jittered(refused_pause_, refused_pause_);
    return jittered(kPauseMin / 2, std::min<Duration>(grown, kPauseMax));
  }

  [[nodiscard]] unsigned failures() const noexcept { return failures_; }

 private:
  static constexpr std::chrono::milliseconds kPauseMin{1000};
  static constexpr std::chrono::seconds kPauseMax{60};
  static constexpr std::chrono::seconds kStable{30};
  static constexpr unsigned kDoublings = 6;  // 64 s: above the maximum

  // Up to twice `least` at the smallest, so that many links do not come back in step.
  [[nodiscard]] Duration jittered(Duration least, Duration most) {
    most = std::max(most, 2 * least);
    std::uniform_int_distribution<Duration::rep> between(least.count(), most.count());
    return Duration(between(random_));
  }

  std::mt19937_64 random_;
  std::chrono::milliseconds refused_pause_;
  unsigned failures_ = 0;
  TimePoint bound_since_{};
};

/// Spreads the attempts of one carrier's links: at most one a second.
class AttemptLimiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  /// When an attempt wished for `wished` may start; that time is taken.
  [[nodiscard]] TimePoint reserve(TimePoint wished) noexcept {
    const TimePoint at = std::max(wished, next_);
    next_ = at + std::chrono::seconds(1);
    return at;
  }

 private:
  TimePoint next_{};
};

}  // namespace stentor::daemon
