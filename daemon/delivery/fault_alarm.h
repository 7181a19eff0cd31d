// Whether a carrier refuses so many messages for one kind of fault that the fault is not theirs: a
// wrong route, a wrong TON, an alphabet it does not have. Somebody has to look.
//
// Units    Answers that judge a message: taken, or refused for good. Time is steady_clock's.
// Threads  One thread.
// Spec     docs/carriers.md, "Statuses"
#pragma once

#include <chrono>
#include <cstdint>

namespace stentor::daemon {

class FaultAlarm {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Of two stretches, the one under way and the one before, so that what is old is forgotten.
  static constexpr std::chrono::minutes kStretch{5};
  /// A test with a few wrong numbers alarms nobody.
  static constexpr std::uint64_t kFaultsMin = 20;
  /// One answer in so many: an old list of numbers has a tenth that is wrong, hardly a fifth.
  static constexpr std::uint64_t kOneIn = 5;

  /// True when the alarm begins.
  bool on_answer(bool is_fault, TimePoint now) noexcept {
    roll(now);
    ++now_.answers;
    if (is_fault) ++now_.faults;
    const bool was_on = is_on_;
    is_on_ = is_due();
    return is_on_ && !was_on;
  }
  [[nodiscard]] bool is_on(TimePoint now) const noexcept {
    FaultAlarm then = *this;
    then.roll(now);
    return then.is_due();
  }

 private:
  struct Stretch {
    std::uint64_t answers = 0;
    std::uint64_t faults = 0;
  };
  void roll(TimePoint now) noexcept {
    if (now - begun_ < kStretch) return;
    before_ = now - begun_ < 2 * kStretch ? now_ : Stretch{};
    now_ = {};
    begun_ = now;
  }
  [[nodiscard]] bool is_due() const noexcept {
    const std::uint64_t faults = before_.faults + now_.faults;
    return faults >= kFaultsMin && faults * kOneIn >= before_.answers + now_.answers;
  }

  Stretch before_;
  Stretch now_;
  TimePoint begun_{};
  bool is_on_ = false;
};

}  // namespace stentor::daemon
