// Time for a commit thread that belongs to the test: it passes only where the thread waits.
//
// Owns     The time.
// Threads  The commit thread moves it; others read it.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "daemon/commit/commit_clock.h"
#include "tests/daemon/test_times.h"

namespace stentor::daemon {

class OwnedCommitClock final : public CommitClock {
 public:
  /// Called when the thread has nothing to do, as often as it would go to sleep. True: the time
  /// that it would sleep has passed, unless it was given work. False: it sleeps until it is woken.
  void set_on_idle(std::function<bool()> on_idle) { on_idle_ = std::move(on_idle); }

  void pass(Duration time) { passed_ += time.count(); }
  /// What it paused for while it had work, altogether.
  [[nodiscard]] Duration slept() const { return Duration(slept_); }

  TimePoint now() override { return test::kStart + Duration(passed_); }
  std::uint64_t wall_ms() override {
    return test::kNowMs +
           static_cast<std::uint64_t>(
               std::chrono::duration_cast<std::chrono::milliseconds>(Duration(passed_)).count());
  }
  void sleep_for(Duration time) override {
    slept_ += time.count();
    pass(time);
  }
  bool wait(std::condition_variable& awake, std::unique_lock<std::mutex>& lock, Duration patience,
            const bool& is_woken) override {
    if (is_woken) return true;
    lock.unlock();
    const bool passes = on_idle_ && on_idle_();
    lock.lock();
    if (!passes) awake.wait(lock, [&is_woken] { return is_woken; });
    if (is_woken) return true;
    pass(patience);
    return false;
  }

 private:
  std::function<bool()> on_idle_;
  std::atomic<Duration::rep> passed_{0};
  std::atomic<Duration::rep> slept_{0};
};

}  // namespace stentor::daemon
