// Outstanding segments beyond memory: sorted chunks in files that are thrown away at a start.
//
// A chunk holds what one map of the index had when memory became short, sorted by fingerprint. In
// memory stay, for each segment there, an octet of a filter that says which chunks cannot have it,
// an eighth for "erased", and the first fingerprint of every 4 KiB page: finding one costs one read
// of one page. Nothing is merged: a chunk lives until its last segment is reported on or expires,
// which its message's expiry bounds.
//
// Units    Segments; `minute` as in outstanding.h.
// Owns     Its files, without names as soon as they are open: the journal can rebuild all of it.
// Errors   A chunk that cannot be written stays in memory, and the next is tried a while later. A
//          page that cannot be read holds nothing: its receipts become orphans, and are counted.
// Threads  One thread. Reads block it for as long as the disk takes for 4 KiB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/tracking/outstanding_segment.h"
#include "queue/file_system.h"

namespace stentor::daemon {

class SegmentSpill {
 public:
  struct Entry {
    SegmentKey key;
    OutstandingSegment segment;
  };
  static_assert(sizeof(Entry) == 32);

  /// Files are made in `folder` as `name` and a number, for `maps` maps.
  SegmentSpill(queue::FileSystem& files, std::filesystem::path folder, std::string name,
               std::size_t maps);
  ~SegmentSpill();
  SegmentSpill(const SegmentSpill&) = delete;
  SegmentSpill& operator=(const SegmentSpill&) = delete;

  /// Sorts and writes what `map` had. False when the disk would not take it.
  [[nodiscard]] bool write(std::size_t map, std::vector<Entry>& entries);
  [[nodiscard]] std::optional<OutstandingSegment> find(std::size_t map, const SegmentKey& key);
  /// Returns what was there.
  std::optional<OutstandingSegment> erase(std::size_t map, const SegmentKey& key);
  /// Takes out what expired before `minute`, until `expired` has `max` entries.
  void take_expired(std::size_t map, std::uint16_t minute, std::size_t max,
                    std::vector<Entry>& expired);
  /// As Outstanding::keep_only.
  void keep_only(const std::function<bool(const SegmentKey&, OutstandingSegment&)>& keep);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t unreadable() const noexcept { return unreadable_; }

  static constexpr std::uint64_t kOctetsPerSegment = 2;  ///< of memory, rounded up

 private:
  struct SpillFile;
  struct Chunk;
  struct Found {
    Chunk* chunk;
    std::size_t index;
    OutstandingSegment segment;
  };
  [[nodiscard]] std::optional<Found> locate(std::size_t map, const SegmentKey& key);
  [[nodiscard]] bool read_chunk(const Chunk& chunk, std::vector<Entry>& entries);
  [[nodiscard]] bool open_file();
  void drop_empty(std::size_t map);

  queue::FileSystem& files_;
  const std::filesystem::path folder_;
  const std::string name_;
  const std::size_t maps_;
  // By map, oldest first; none before the first write(): most carriers never spill.
  std::vector<std::vector<std::unique_ptr<Chunk>>> chunks_;
  std::shared_ptr<SpillFile> open_;
  std::uint64_t next_file_ = 0;
  std::size_t size_ = 0;
  std::uint64_t unreadable_ = 0;
  std::vector<Entry> page_;
  std::vector<Entry> whole_;
};

}  // namespace stentor::daemon
