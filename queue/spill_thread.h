// Spill I/O on a thread of its own.
//
// Units    See spill_io.h.
// Owns     The spill files of one directory, jobs submitted, its thread.
// Errors   See spill_io.h.
// Threads  One thread submits and collects; `on_done` is called on the thread here. A mutex, not a
//          ring: one job stands for thousands of tickets.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "queue/spill_io.h"

namespace stentor::queue {

class SpillThread final : public SpillIo {
 public:
  /// `on_done` says that collect() has something. The thread starts with the first job: who never
  /// spills has none.
  SpillThread(FileSystem& files, std::filesystem::path directory, std::function<void()> on_done);
  /// Waits for the job in hand; those not begun are not done.
  ~SpillThread() override;

  void submit(SpillJob job) override;
  bool collect() override;

 private:
  void work();

  SpillFiles files_;
  const std::function<void()> on_done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SpillJob> jobs_;  // bounded by what spills: each holds a block that waits in memory
  std::deque<SpillJob> done_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace stentor::queue
