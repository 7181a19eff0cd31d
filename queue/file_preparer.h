// Makes journal files ahead of need, and does the slow work on files that are full or done with.
//
// A file is made under a passing name, reserved, filled with zeros, given its header, synced,
// renamed, and its directory synced; only then may blocks go into it. Zeros, because a sync into a
// reserved but unwritten stretch has to change the file system's own records each time: measured
// ten times the CPU of one into a written stretch.
//
// Units    Octets.
// Owns     The prepared file until it is taken; its own thread.
// Errors   disk_full when there is no room for even a small file; else errno.
// Threads  One thread calls; the work is done on a thread of its own, or, for tests that repeat
//          every operation in order, on the caller's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "queue/error.h"
#include "queue/file_system.h"

namespace stentor::queue {

struct PreparedFile {
  std::unique_ptr<File> file;
  std::uint32_t number = 0;
  std::uint64_t epoch = 0;
  std::uint32_t octets = 0;  ///< zeroed up to here, header included
};

class FilePreparer {
 public:
  struct Options {
    std::filesystem::path directory;
    std::uint64_t free_octets_min = 0;
    bool in_background = true;
    std::function<std::uint64_t()> make_epoch;
  };

  FilePreparer(FileSystem& files, Options options);
  /// Ends the thread; a file that nobody took goes.
  ~FilePreparer();
  FilePreparer(const FilePreparer&) = delete;
  FilePreparer& operator=(const FilePreparer&) = delete;

  /// Makes one file now, on this thread, down to the last free octet: without a file there is no
  /// journal, and nothing accepted could be settled.
  [[nodiscard]] result<PreparedFile> prepare_now(std::uint32_t number, std::uint32_t octets);

  /// Begins to make file `number`; one at a time. Smaller than `octets` where the disk is short.
  void request(std::uint32_t number, std::uint32_t octets);
  /// The file requested; nothing while it is in the making. An error ends the request.
  [[nodiscard]] result<std::optional<PreparedFile>> try_take();
  /// The file requested, however long it takes.
  [[nodiscard]] result<PreparedFile> take();
  /// Says how far the file in use is filled, so that the next one is made with pauses while there
  /// is time, and in a hurry when there is not.
  void on_filled(std::uint32_t octets, std::uint32_t of_octets) noexcept {
    filled_percent_.store(static_cast<std::uint32_t>(100ull * octets / of_octets),
                          std::memory_order_relaxed);  // a lone figure: orders nothing
  }
  [[nodiscard]] bool is_requested() const;
  /// Of the file that waits to be taken; 0 when none does.
  [[nodiscard]] std::uint32_t ready_octets() const;

  /// Gives back what a full file did not use.
  void finish(std::unique_ptr<File> file, std::uint32_t octets_used);

  /// Removes files in the order given, each for good before the next: a crash leaves no gap.
  /// Answers the error of an earlier call, whose files are tried again.
  [[nodiscard]] result<void> remove(std::vector<std::uint32_t> numbers);

 private:
  using Job = std::move_only_function<void()>;

  void run(Job job);
  void work();
  [[nodiscard]] result<PreparedFile> prepare(std::uint32_t number, std::uint32_t octets,
                                             std::uint32_t least, std::uint64_t free_octets_min);
  [[nodiscard]] result<PreparedFile> make(std::uint32_t number, std::uint32_t octets);
  [[nodiscard]] result<void> fill(File& file, const PreparedFile& made);
  void remove_now(std::vector<std::uint32_t> numbers);

  FileSystem& files_;
  const Options options_;
  std::atomic<std::uint32_t> filled_percent_{0};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;  // at most two for each file the journal begins, and one removal
  bool is_stopping_ = false;
  bool is_requested_ = false;
  std::optional<result<PreparedFile>> outcome_;
  std::vector<std::uint32_t> unremoved_;
  std::error_code removal_error_;

  std::thread thread_;
};

}  // namespace stentor::queue
