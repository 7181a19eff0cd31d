// Whether a carrier that can be bound to does anything: what routes know of its progress.
//
// A bind whose answers stayed out makes it stuck, unless another of its binds was answered
// meanwhile. One answer, whatever it says, proves that it moves again; to get one it is given a
// message at a time. So it is stuck only as long as there is nothing that it answers.
//
// Units    Time is steady_clock, passed in.
// Threads  One thread.
// Spec     docs/carriers.md, "Fail-over"
#pragma once

#include <chrono>

namespace stentor::daemon {

class StuckCarrier {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit StuckCarrier(std::chrono::milliseconds response_timeout) : patience_(response_timeout) {}

  /// A bind had answers due and none came. True when that makes the carrier stuck.
  bool on_no_progress(TimePoint now) noexcept {
    if (is_stuck_ || (was_answered_ && now - answered_at_ < patience_)) return false;
    is_stuck_ = true;
    lacks_probe_ = false;
    return true;
  }
  /// True when it was stuck until now.
  bool on_answer(TimePoint now) noexcept {
    answered_at_ = now;
    was_answered_ = true;
    const bool was_stuck = is_stuck_;
    is_stuck_ = false;
    lacks_probe_ = false;
    return was_stuck;
  }
  /// While stuck: there is something that it may prove itself with, or nothing at all. True when
  /// that is news.
  bool on_probe(bool is_there) noexcept {
    const bool is_news = lacks_probe_ == is_there;
    lacks_probe_ = !is_there;
    return is_news;
  }

  [[nodiscard]] bool is_stuck() const noexcept { return is_stuck_; }
  /// A new message is welcome, for it is what it can be proved with.
  [[nodiscard]] bool lacks_probe() const noexcept { return is_stuck_ && lacks_probe_; }

 private:
  std::chrono::milliseconds patience_;
  TimePoint answered_at_{};
  bool was_answered_ = false;
  bool is_stuck_ = false;
  bool lacks_probe_ = false;
};

}  // namespace stentor::daemon
