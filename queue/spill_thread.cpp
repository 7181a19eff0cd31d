#include "queue/spill_thread.h"

#include <utility>

namespace stentor::queue {

SpillThread::SpillThread(FileSystem& files, std::filesystem::path directory,
                         std::function<void()> on_done)
    : files_(files, std::move(directory)), on_done_(std::move(on_done)) {}

SpillThread::~SpillThread() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void SpillThread::submit(SpillJob job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  }
  changed_.notify_one();
}

bool SpillThread::collect() {
  std::deque<SpillJob> done;
  {
    const std::lock_guard lock(mutex_);
    done.swap(done_);
  }
  for (const SpillJob& job : done) job.client->on_done(job);
  return !done.empty();
}

void SpillThread::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopping_ || !jobs_.empty(); });
    if (is_stopping_) return;
    SpillJob job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    files_.perform(job);
    lock.lock();
    done_.push_back(std::move(job));
    lock.unlock();
    on_done_();
    lock.lock();
  }
}

}  // namespace stentor::queue
