// Blocks of octets that wait on disk instead of in memory.
//
// A block put here is in memory until it is written, and again from fetch() to take(). Two files
// of slots, a page and 256 KiB each, so that space given back is used again whatever its
// neighbours do; a file of which no slot is in use gives its space back to the disk.
//
// Units    Octets.
// Owns     Its blocks, from put() to take() or drop().
// Errors   A write that fails loses nothing: the block stays in memory, and so do those put after
//          it, until retry() finds the disk well again. A block that cannot be read stays where it
//          is: retry() asks again, and a restart makes it anew from the journal. Both are counted.
// Threads  One thread, that of the SpillIo.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "queue/spill_io.h"

namespace stentor::queue {

inline constexpr std::size_t kSpillSmallOctets = 4096;
inline constexpr std::size_t kSpillLargeOctets = 256u << 10;

class SpillStore final : public SpillClient {
 public:
  using Block = std::uint32_t;
  using Tag = std::uint64_t;

  /// Uses the files `first_file` and the one after it. `on_ready` is called out of
  /// SpillIo::collect() when a block that was fetched with `tag` is here.
  SpillStore(SpillIo& io, std::uint32_t first_file);
  SpillStore(const SpillStore&) = delete;
  SpillStore& operator=(const SpillStore&) = delete;
  void set_on_ready(std::function<void(Tag)> on_ready) { on_ready_ = std::move(on_ready); }

  /// 1 to kSpillLargeOctets octets.
  [[nodiscard]] Block put(std::vector<std::uint8_t> octets);
  /// Asks for the octets of a block; asking twice is asking once, by the later tag.
  void fetch(Block block, Tag tag);
  /// The octets, and the block is gone; null while they are not here.
  [[nodiscard]] SpillOctets take(Block block);
  void drop(Block block);

  /// Tries again what failed, a few at a time: to be called once a second or so.
  void retry();

  struct Stats {
    std::uint64_t octets_in_memory = 0;  ///< on the way to the disk or from it, or kept from it
    std::uint64_t octets_on_disk = 0;
    std::uint64_t writes = 0;
    std::uint64_t reads = 0;
    std::uint64_t failed_writes = 0;
    std::uint64_t failed_reads = 0;
    bool is_failing = false;  ///< the last write failed: what is put stays in memory
    std::error_code last_error;
  };
  [[nodiscard]] const Stats& stats() const noexcept { return stats_; }

 private:
  enum class Place : std::uint8_t { nowhere, memory, writing, disk, reading };
  struct Entry {
    SpillOctets octets;  ///< unless on disk
    Tag tag = 0;
    std::uint32_t size = 0;
    std::uint32_t slot = 0;
    std::uint32_t checksum = 0;
    Place place = Place::nowhere;
    bool is_large = false;
    bool is_wanted = false;
    bool is_written = false;  ///< its octets are on disk, whether in memory too or not
    bool is_over = false;     ///< taken or dropped while a job of it is under way
  };
  struct Shelf {
    std::uint32_t slots = 0;  ///< used once
    std::vector<std::uint32_t> free;
  };

  void on_done(const SpillJob& job) override;
  void on_written(Block block, const SpillJob& job);
  void on_read(Block block, const SpillJob& job);
  void submit(Block block, SpillJob::Kind kind);
  void write(Block block);
  void write_next();
  void free_slot(const Entry& entry);
  void forget(Block block);

  SpillIo& io_;
  const std::uint32_t first_file_;
  std::function<void(Tag)> on_ready_;
  std::vector<Entry> entries_;
  std::vector<Block> unused_;
  Shelf small_;
  Shelf large_;
  std::vector<Block> unwritten_;  // kept in memory since a write failed
  std::vector<Block> unread_;
  Stats stats_;
};

}  // namespace stentor::queue
