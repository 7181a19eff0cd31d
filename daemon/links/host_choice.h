// Which of a carrier's hosts is connected to next.
//
// In the order of the configuration, and round. The first is preferred: after a bind that stood for
// a while it comes first again. A host that takes the bind and then drops it, falls silent or is
// stuck is left like one that is not there, or the second would never be tried.
//
// Units    Time is steady_clock, passed in.
// Threads  One thread.
// Spec     docs/carriers.md, "When a link goes, and comes back"
#pragma once

#include <chrono>
#include <cstddef>

namespace stentor::daemon {

class HostChoice {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// As long as a bind has to stand for the pauses to begin anew (reconnect.h).
  static constexpr std::chrono::seconds kStood{30};

  explicit HostChoice(std::size_t hosts) : hosts_(hosts) {}

  [[nodiscard]] std::size_t index() const noexcept { return index_; }

  void on_bound(TimePoint now) noexcept { bound_since_ = now; }
  /// Nothing answered there, or it did not let us bind.
  void on_failed() noexcept {
    bound_since_ = {};
    index_ = (index_ + 1) % hosts_;
  }
  /// We left it ourselves, and nothing was wrong with it.
  void on_left_well() noexcept {
    bound_since_ = {};
    index_ = 0;
  }
  /// The connection that was bound there is over; it moved nothing any more when `was_dead`.
  void on_lost(TimePoint now, bool was_dead) noexcept {
    const bool stood = bound_since_ != TimePoint{} && now - bound_since_ >= kStood;
    if (!stood || was_dead) return on_failed();
    on_left_well();
  }

 private:
  std::size_t hosts_;
  std::size_t index_ = 0;
  TimePoint bound_since_{};
};

}  // namespace stentor::daemon
