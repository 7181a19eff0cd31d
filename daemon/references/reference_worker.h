// Does the work on files of references on a thread of its own, one job after the other.
//
// Units    Jobs.
// Owns     Its thread, which starts with the first job.
// Errors   A job's own.
// Threads  One thread submits and collects.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace stentor::daemon {

class ReferenceWorker {
 public:
  /// Done on the worker's thread; answers what is to be done on the submitter's.
  using Job = std::function<std::function<void()>()>;

  ReferenceWorker() = default;
  /// Waits for the job in hand.
  ~ReferenceWorker();
  ReferenceWorker(const ReferenceWorker&) = delete;
  ReferenceWorker& operator=(const ReferenceWorker&) = delete;

  [[nodiscard]] bool is_idle() const noexcept { return !is_busy_; }
  /// While idle.
  void submit(Job job);
  /// Does what the finished job answered, if one has finished.
  void collect();
  /// Waits for the job in hand, then collects.
  void wait();

 private:
  void work();

  bool is_busy_ = false;  // submitted and not collected
  std::mutex mutex_;
  std::condition_variable changed_;
  Job job_;
  std::function<void()> answer_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace stentor::daemon
