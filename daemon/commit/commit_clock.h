// What time is to the commit thread, so that a test can own it.
//
// Units    Times of the steady clock; milliseconds of Unix time.
// Owns     Nothing.
// Threads  The commit thread, and whoever makes, starts and restores it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace stentor::daemon {

class CommitClock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  CommitClock() = default;
  virtual ~CommitClock() = default;
  CommitClock(const CommitClock&) = delete;
  CommitClock& operator=(const CommitClock&) = delete;

  [[nodiscard]] virtual TimePoint now() = 0;
  [[nodiscard]] virtual std::uint64_t wall_ms() = 0;
  /// By how much that may be ahead of the true date: nothing is forgotten for it.
  [[nodiscard]] virtual std::uint64_t suspected_lead_ms() { return 0; }
  virtual void sleep_for(Duration time) = 0;
  /// Sleeps until `is_woken`, which `lock` guards, at most for `patience`. True when it was woken.
  virtual bool wait(std::condition_variable& awake, std::unique_lock<std::mutex>& lock,
                    Duration patience, const bool& is_woken) = 0;
};

/// The machine's steady clock, and the process's date.
[[nodiscard]] CommitClock& real_commit_clock() noexcept;

}  // namespace stentor::daemon
