// What holds a carrier back just now: the answer to "why is it not faster".
//
// One look says what holds at that instant; what is shown is what held for the longest part of the
// last second, so that it does not flicker.
//
// Units    Time is steady_clock, passed in.
// Threads  One thread.
// Spec     docs/operations.md, "What limits a carrier"
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace stentor::daemon {

/// Values are on disk, in intents: never renumber, never reuse.
enum class Limiter : std::uint8_t {
  empty,      ///< nothing waits
  scheduled,  ///< all that waits is not due yet, or is held
  rate,       ///< the configured rate
  throttled,  ///< the rate that the carrier was found to take
  window,     ///< all binds wait for answers, which come quickly
  latency,    ///< all binds wait for answers, which take over a second
  limit,      ///< limits of senders or prefixes
  disk,       ///< intents are not durable yet
  link_down,
  suspended,
  stuck  ///< bound, and it answers nothing: one message at a time
};
inline constexpr std::size_t kLimiters = 11;

[[nodiscard]] constexpr std::string_view name_of(Limiter limiter) noexcept {
  switch (limiter) {
    case Limiter::empty: return "empty";
    case Limiter::scheduled: return "scheduled";
    case Limiter::rate: return "rate";
    case Limiter::throttled: return "throttled";
    case Limiter::window: return "window";
    case Limiter::latency: return "latency";
    case Limiter::limit: return "limit";
    case Limiter::disk: return "disk";
    case Limiter::link_down: return "link_down";
    case Limiter::suspended: return "suspended";
    case Limiter::stuck: return "stuck";
  }
  return "empty";
}

class LimiterReport {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// From now on `limiter` holds.
  void note(Limiter limiter, TimePoint now) noexcept {
    if (is_long_ago(now)) return begin(limiter, now);
    spend(now);
    current_ = limiter;
  }
  /// What held for the longest part of the last full second, or holds now when that is long ago.
  [[nodiscard]] Limiter shown(TimePoint now) const noexcept {
    return is_long_ago(now) ? current_ : shown_;
  }

 private:
  [[nodiscard]] bool is_long_ago(TimePoint now) const noexcept {
    return now - second_begin_ >= std::chrono::seconds(2);
  }
  // The first word, or the first one after an idle time, which says nothing of what comes.
  void begin(Limiter limiter, TimePoint now) noexcept {
    held_.fill({});
    current_ = shown_ = limiter;
    since_ = second_begin_ = now;
  }
  void spend(TimePoint now) noexcept {
    held_[static_cast<std::size_t>(current_)] += now - since_;
    since_ = now;
    if (now - second_begin_ < std::chrono::seconds(1)) return;
    const auto longest = std::ranges::max_element(held_);
    shown_ = static_cast<Limiter>(longest - held_.begin());
    held_.fill({});
    second_begin_ = now;
  }

  std::array<std::chrono::steady_clock::duration, kLimiters> held_{};
  Limiter current_ = Limiter::empty;
  Limiter shown_ = Limiter::empty;
  TimePoint since_{};
  TimePoint second_begin_{};
};

}  // namespace stentor::daemon
