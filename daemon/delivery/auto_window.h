// Watches how fast a carrier answers, and says how large its windows should be for that.
//
// A window is as large as it must be when rate × latency segments fit into it (Little's law). With
// a rate that is known the window is half as much again; without, twice what went through in the
// shortest latency seen: as long as the window is what limits, that doubles it, and it stops when
// the carrier answers no faster.
//
// Units    Segments; time is steady_clock, passed in.
// Threads  One thread.
// Spec     docs/configuration.md, `window`
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace stentor::daemon {

class AutoWindow {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  /// Where it starts, and what it never goes below: what carriers commonly grant.
  static constexpr std::uint32_t kWindowMin = 10;

  void on_response(Duration latency, TimePoint now) noexcept {
    roll(now);
    ++answered_;
    shortest_now_ = std::min(shortest_now_, latency);
    smoothed_ = smoothed_ == Duration::zero() ? latency : smoothed_ + (latency - smoothed_) / 16;
  }

  /// How long answers take of late; 0 when none came yet.
  [[nodiscard]] Duration latency() const noexcept { return smoothed_; }

  /// The window of each of `binds`, at least kWindowMin where `most` allows it. `rate` 0: no limit.
  [[nodiscard]] std::uint32_t window(std::uint32_t rate, std::uint32_t binds,
                                     std::uint32_t most) const noexcept {
    const Duration shortest = std::min(shortest_now_, shortest_before_);
    if (shortest == Duration::max()) return std::min(kWindowMin, most);
    const double seconds = std::chrono::duration<double>(shortest).count();
    const double wanted = rate > 0 ? 1.5 * rate * seconds : 2.0 * through_ * seconds;
    const double each = wanted / std::max<std::uint32_t>(1, binds);
    if (each >= most) return most;
    return std::min(most, std::max(kWindowMin, static_cast<std::uint32_t>(each) + 1));
  }

 private:
  static constexpr std::chrono::milliseconds kRound{250};
  // The shortest latency of the last five to ten seconds: a carrier that has moved shows.
  static constexpr int kRoundsOfShortest = 20;

  void roll(TimePoint now) noexcept {
    if (now - round_begin_ < kRound) return;
    const double seconds = std::chrono::duration<double>(now - round_begin_).count();
    // Best of this and the last rounds, fading: a pause in what there is to send closes no window.
    through_ = std::max(answered_ / seconds, through_ * 0.9);
    answered_ = 0;
    round_begin_ = now;
    if (++rounds_ % kRoundsOfShortest != 0) return;
    shortest_before_ = shortest_now_;
    shortest_now_ = Duration::max();
  }

  TimePoint round_begin_{};
  double answered_ = 0;
  double through_ = 0;  // segments a second
  Duration shortest_now_ = Duration::max();
  Duration shortest_before_ = Duration::max();
  Duration smoothed_ = Duration::zero();
  int rounds_ = 0;
};

}  // namespace stentor::daemon
