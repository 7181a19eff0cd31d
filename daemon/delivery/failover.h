// When a carrier's waiting messages may leave it, and in which step of that it is. No sockets, no
// messages: only time and what is up.
//
//   home ── down ──▶ blink ── failover_after ──▶ away ── up ──▶ returning ──▶ home
//                      └────────── up ──────────────────────────────────────▶ home
//
// In `away` each waiting message is judged once: it moves to another carrier of its route, or it
// stays and is set aside. When another carrier comes up, those set aside are judged again. In
// `returning` they go back into the lanes, in front of what came later.
//
// Units    Time is steady_clock, passed in.
// Threads  One thread.
// Spec     docs/carriers.md, "Fail-over"
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace stentor::daemon {

class Failover {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Stage : std::uint8_t { home, blink, away, returning };

  explicit Failover(std::chrono::seconds after) : after_(after) {}

  /// Tells whether the carrier can take messages; telling it again changes nothing. `is_meant`: it
  /// was suspended, which is no blink: what waits may leave at once.
  void on_standing(bool is_up, TimePoint now, bool is_meant = false) noexcept {
    if (is_up) {
      if (stage_ == Stage::blink) stage_ = Stage::home;
      if (stage_ == Stage::away) stage_ = Stage::returning;
      was_up_ = true;
      return;
    }
    if (stage_ == Stage::blink && is_meant) leave_at_ = std::min(leave_at_, now);
    if (stage_ == Stage::home) {
      stage_ = Stage::blink;
      leave_at_ = is_meant ? now : now + after_;
    } else if (stage_ == Stage::returning) {
      stage_ = Stage::away;
      judge_again_ = true;
    }
  }
  /// At a start with messages that wait: it counts as up before, or what is new would go past them.
  void on_backlog() noexcept { was_up_ = true; }
  void on_time(TimePoint now) noexcept {
    if (stage_ == Stage::blink && now >= leave_at_) stage_ = Stage::away;
  }
  /// All that was set aside is back in the lanes.
  void on_returned() noexcept {
    if (stage_ == Stage::returning) stage_ = Stage::home;
    judge_again_ = false;
  }
  /// `ups` counts how often any carrier came up: more of them, and what stayed may move now.
  void on_ups(std::uint32_t ups) noexcept {
    if (stage_ == Stage::away && ups != ups_seen_) judge_again_ = true;
    ups_seen_ = ups;
  }

  [[nodiscard]] Stage stage() const noexcept { return stage_; }
  /// What was set aside is to be put back into the lanes, to be judged again or to be sent.
  [[nodiscard]] bool gives_back() const noexcept {
    return stage_ == Stage::returning || (stage_ == Stage::away && judge_again_);
  }
  /// New messages of its routes still wait here, behind those that are about to move.
  [[nodiscard]] bool keeps_new(bool any_waits) const noexcept {
    return was_up_ && any_waits && (stage_ == Stage::blink || stage_ == Stage::away);
  }
  /// When on_time() has something to do; TimePoint::max(): never.
  [[nodiscard]] TimePoint deadline() const noexcept {
    return stage_ == Stage::blink ? leave_at_ : TimePoint::max();
  }

 private:
  std::chrono::seconds after_;
  Stage stage_ = Stage::home;
  TimePoint leave_at_{};
  std::uint32_t ups_seen_ = 0;
  bool was_up_ = false;
  bool judge_again_ = false;
};

}  // namespace stentor::daemon
