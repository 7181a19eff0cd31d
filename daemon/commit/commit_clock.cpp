#include "daemon/commit/commit_clock.h"

#include <thread>

#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

class RealCommitClock final : public CommitClock {
 public:
  TimePoint now() override { return std::chrono::steady_clock::now(); }
  std::uint64_t wall_ms() override { return wall_clock_ms(); }
  std::uint64_t suspected_lead_ms() override { return daemon::suspected_lead_ms(); }
  void sleep_for(Duration time) override { std::this_thread::sleep_for(time); }
  bool wait(std::condition_variable& awake, std::unique_lock<std::mutex>& lock, Duration patience,
            const bool& is_woken) override {
    return awake.wait_for(lock, patience, [&is_woken] { return is_woken; });
  }
};

}  // namespace

CommitClock& real_commit_clock() noexcept {
  static RealCommitClock clock;
  return clock;
}

}  // namespace stentor::daemon
