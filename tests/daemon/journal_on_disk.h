// A journal in a folder of its own with a running commit thread: for tests of what writes to it.
//
// Threads  The test's thread is the producer.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "daemon/commit/commit_feed.h"
#include "queue/journal_format.h"
#include "queue/journal_recovery.h"
#include "tests/temporary_directory.h"

namespace stentor::daemon {

class JournalOnDisk {
 public:
  explicit JournalOnDisk(std::filesystem::path folder = stentor::test::make_temporary_directory(),
                         std::chrono::milliseconds retention = std::chrono::hours(72),
                         std::uint64_t retention_octets = 1ull << 40)
      : folder_(std::move(folder)),
        files_(*queue::make_posix_file_system(queue::IoBackend::threads)),
        commit_({.delay = {}, .retention = {.age = retention, .octets = retention_octets}}) {}
  ~JournalOnDisk() {
    commit_.stop();
    std::error_code ignored;  // a folder left behind in the temporary directory harms nobody
    if (remove_) std::filesystem::remove_all(folder_, ignored);
  }

  /// Recovers what is there, showing it to `visit`, and starts the commit thread.
  void start(const std::function<void(const queue::Record&)>& visit = [](const queue::Record&) {}) {
    auto recovered = queue::recover(*files_, journal(), {}, visit);
    ASSERT_TRUE(recovered) << recovered.error().detail;
    lock_ = std::move(recovered->lock);
    auto writer =
        queue::JournalWriter::start(*files_, {.directory = journal(), .file_octets = 4u << 20},
                                    recovered->end, [this] { return commit_.make_preamble(); });
    ASSERT_TRUE(writer) << writer.error().message();
    commit_.adopt(std::move(*writer));
    commit_.start();
  }

  /// Commits what the feed holds and waits for it.
  static void settle(
      CommitFeed& feed,
      const std::function<void(const BatchPointer&)>& on_settled = [](const BatchPointer&) {}) {
    feed.flush();
    while (!feed.is_idle()) {
      feed.collect(on_settled);
      feed.flush();
      std::this_thread::yield();
    }
  }

  [[nodiscard]] std::filesystem::path journal() const { return folder_ / "journal"; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] queue::FileSystem& files() { return *files_; }
  [[nodiscard]] CommitThread& commit() { return commit_; }
  void keep_folder() { remove_ = false; }
  /// An octet of this record is another one on the disk; done twice it is as it was.
  void spoil(queue::Locator at) const {
    std::fstream file(journal() / queue::file_name(at.file()),
                      std::ios::in | std::ios::out | std::ios::binary);
    const auto place = static_cast<std::streamoff>(at.block()) + queue::kBlockHeaderOctets +
                       static_cast<std::streamoff>(at.record()) + 20;
    file.seekg(place);
    const int octet = file.get();
    file.seekp(place);
    file.put(static_cast<char>(octet ^ 1));
    ASSERT_TRUE(file.good());
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<queue::FileSystem> files_;
  std::unique_ptr<queue::File> lock_;
  CommitThread commit_;
  bool remove_ = true;
};

}  // namespace stentor::daemon
