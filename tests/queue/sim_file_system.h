// A file system in memory that forgets what a real one may forget.
//
// It remembers for each file what the process sees and what is on disk; a sync makes the two equal.
// When power is lost, each 512-octet sector written since keeps its old or its new octets, sizes
// and names go either way, and unsynced changes of a directory happen in part. A failed sync leaves
// the page cache looking fine and the disk without the data, as Linux does.
//
// Units    Octets. Operations are counted from 0: those that change something.
// Owns     All files. A File keeps its file alive after removal, like a descriptor.
// Threads  Any, behind one mutex; the crash tests use one thread, so that a seed repeats a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "queue/file_system.h"
#include "tests/queue/random_numbers.h"

namespace stentor::queue::test {

class SimFileSystem final : public FileSystem {
 public:
  explicit SimFileSystem(std::uint64_t seed) : random_(seed) {}

  result<std::unique_ptr<File>> open(const Path& path, Mode mode) override;
  result<void> rename(const Path& from, const Path& to) override;
  result<void> remove(const Path& path) override;
  result<void> make_directory(const Path& path) override;
  result<void> sync_directory(const Path& path) override;
  result<std::vector<std::string>> list(const Path& directory) override;
  result<std::uint64_t> free_octets(const Path& directory) override;
  result<std::unique_ptr<File>> lock(const Path& directory) override;

  enum class Fault : std::uint8_t {
    crash,      ///< the operation happens in part, then nothing works until restart
    error,      ///< the operation fails with EIO; a write may have happened in part
    disk_full,  ///< the same with ENOSPC
  };
  enum class Lasts : std::uint8_t { once, until_unplanned };
  /// Lets the operation `after` operations from now meet `fault`, and all that follow where it
  /// lasts.
  void plan(Fault fault, std::uint64_t after, Lasts lasts = Lasts::once);
  void unplan();
  /// A fault is planned that no operation has met yet.
  [[nodiscard]] bool is_planned() const { return fault_at_ && *fault_at_ >= operations_; }
  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  [[nodiscard]] bool has_crashed() const { return is_dead_; }
  void set_capacity(std::uint64_t octets) { capacity_ = octets; }

  /// What it has done to its user so far.
  struct Met {
    std::uint64_t short_writes = 0;  ///< a part was written, then EIO, ENOSPC or a crash
    std::uint64_t failed_syncs = 0;
    std::uint64_t io_errors = 0;
    std::uint64_t disk_full = 0;
    std::uint64_t sectors_kept = 0;  ///< of those not synced when power was lost: any of them, so
    std::uint64_t sectors_lost = 0;  ///< that writes are torn, and later ones may outlive earlier
    Met& operator+=(const Met& other);
  };
  [[nodiscard]] const Met& met() const { return met_; }

  /// The process has died and starts again; the machine went on.
  void restart();
  /// The same, and the page cache was dropped meanwhile: failed syncs show.
  void restart_with_cold_cache();
  /// The machine has lost power.
  void lose_power();

  /// The content as the process sees it, for tests to look at and to spoil. The change is on disk.
  [[nodiscard]] std::vector<std::uint8_t> content(const Path& path);
  void set_content(const Path& path, std::vector<std::uint8_t> octets);
  [[nodiscard]] bool exists(const Path& path);

 private:
  friend class SimFile;
  struct Range {
    std::size_t from = 0;
    std::size_t to = 0;
  };
  struct Inode {
    std::vector<std::uint8_t> seen;
    std::vector<std::uint8_t> disk;
    std::vector<Range> dirty;  // written, not synced
    std::vector<Range> stale;  // of a failed sync: seen, taken for written, not on disk
    void make_durable();
  };
  using InodePointer = std::shared_ptr<Inode>;
  struct Change {
    enum class Kind : std::uint8_t { put, rename, remove } kind = Kind::put;
    std::string from;
    std::string to;
    InodePointer inode;
  };
  struct Directory {
    std::map<std::string, InodePointer> seen;
    std::map<std::string, InodePointer> disk;
    std::vector<Change> changes;  // not synced
    static void apply(const Change& change, std::map<std::string, InodePointer>& names);
  };

  /// Counts one operation; answers the fault it meets.
  std::optional<Fault> step();
  [[nodiscard]] Directory* directory_of(const Path& path);
  [[nodiscard]] std::uint64_t used() const;
  result<void> write(Inode& inode, std::uint64_t offset, std::span<const std::uint8_t> octets);
  result<void> sync(Inode& inode);
  void lose_power(Inode& inode);

  std::mutex mutex_;
  RandomNumbers random_;
  std::map<std::string, Directory> directories_;
  std::uint64_t capacity_ = std::uint64_t{1} << 40;
  Met met_;
  std::uint64_t operations_ = 0;
  std::optional<std::uint64_t> fault_at_;
  Fault fault_ = Fault::crash;
  Lasts lasts_ = Lasts::once;
  bool is_dead_ = false;
  std::uint64_t life_ = 0;  // files of an earlier life do nothing
  std::map<std::string, std::uint64_t> locks_;
};

}  // namespace stentor::queue::test
