#include "daemon/references/reference_worker.h"

#include <sys/prctl.h>

#include <cassert>
#include <utility>

namespace stentor::daemon {

ReferenceWorker::~ReferenceWorker() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ReferenceWorker::submit(Job job) {
  assert(is_idle() && "one job at a time");
  is_busy_ = true;
  {
    const std::lock_guard lock(mutex_);
    job_ = std::move(job);
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  }
  changed_.notify_all();
}

void ReferenceWorker::collect() {
  if (!is_busy_) return;
  std::function<void()> answer;
  {
    const std::lock_guard lock(mutex_);
    answer.swap(answer_);
  }
  if (!answer) return;
  is_busy_ = false;
  answer();
}

void ReferenceWorker::wait() {
  if (!is_busy_) return;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return static_cast<bool>(answer_); });
  }
  collect();
}

void ReferenceWorker::work() {
  prctl(PR_SET_NAME, "references");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopping_ || job_; });
    if (is_stopping_) return;
    Job job = std::exchange(job_, nullptr);
    lock.unlock();
    auto answer = job();
    job = nullptr;  // what it held is given back while nobody waits for the lock
    lock.lock();
    answer_ = std::move(answer);
    changed_.notify_all();
  }
}

}  // namespace stentor::daemon
