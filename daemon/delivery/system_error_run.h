// Whether a bind is suspect: it answers every submit_sm with "system error" (0x08), and nothing
// else.
//
// One such answer is the SMSC's passing trouble. Where for a while there is no other, it may be
// that bind alone: a session whose backend is gone over there keeps answering so until it is left.
//
// Units    Time is steady_clock, passed in.
// Threads  One thread.
// Spec     docs/carriers.md, "Statuses"
#pragma once

#include <chrono>
#include <cstdint>

namespace stentor::daemon {

class SystemErrorRun {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Fewer may be a few messages that it cannot handle, each tried again.
  static constexpr std::uint32_t kAnswersMin = 20;
  /// A restart of an SMSC's backend takes some seconds, and a new bind does not speed it up.
  static constexpr std::chrono::seconds kLasting{30};
  /// Where a new bind has not helped, the next one soon after would not either; carriers count
  /// binds, and more than some an hour is an alarm over there.
  static constexpr std::chrono::minutes kRest{10};

  /// True when the bind is to be left for a new one.
  bool on_answer(bool is_system_error, TimePoint now) noexcept {
    if (!is_system_error) {
      answers_ = 0;
      return false;
    }
    if (answers_ == 0) begun_ = now;
    if (answers_ < kAnswersMin) ++answers_;
    if (answers_ < kAnswersMin || now - begun_ < kLasting) return false;
    if (was_left_ && now - left_ < kRest) return false;
    was_left_ = true;
    left_ = now;
    return true;
  }
  /// How long it has answered so.
  [[nodiscard]] TimePoint::duration lasting(TimePoint now) const noexcept { return now - begun_; }

 private:
  std::uint32_t answers_ = 0;  // in a row
  TimePoint begun_{};
  TimePoint left_{};
  bool was_left_ = false;
};

}  // namespace stentor::daemon
