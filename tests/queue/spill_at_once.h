// Spill I/O that is done when it is asked for and told when the test says so.
#pragma once

#include <deque>
#include <filesystem>
#include <utility>

#include "queue/spill_io.h"

namespace stentor::queue::test {

class SpillAtOnce final : public SpillIo {
 public:
  explicit SpillAtOnce(FileSystem& files, std::filesystem::path directory = "spill")
      : files_(files, std::move(directory)) {}

  void submit(SpillJob job) override {
    files_.perform(job);
    done_.push_back(std::move(job));
  }
  bool collect() override {
    const std::deque<SpillJob> done = std::exchange(done_, {});
    for (const SpillJob& job : done) job.client->on_done(job);
    return !done.empty();
  }
  /// Until nothing is under way.
  void settle() {
    while (collect()) {
    }
  }

 private:
  SpillFiles files_;
  std::deque<SpillJob> done_;
};

}  // namespace stentor::queue::test
