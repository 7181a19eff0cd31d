// Scheduled tickets of one stretch of time: first in, first out, in memory and on disk.
//
// Internal to timers. Entries lie in pieces of up to 256 KiB; a piece that is full, or any that is
// worth a small slot when memory is very short, goes to disk as it is.
//
// Units    Counts are entries; times are the caller's milliseconds.
// Owns     Its pieces, until they are popped, taken out, or clear().
// Errors   What spilling may meet stays in SpillStore.
// Threads  One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "queue/spill_store.h"
#include "queue/ticket.h"

namespace stentor::queue {

/// What is kept of a scheduled ticket.
struct FarEntry {
  Ticket ticket;
  Flow flow = 0;
  std::uint32_t offset_and_priority = 0;  ///< milliseconds in its stretch, and two bits

  [[nodiscard]] std::uint32_t offset_ms() const noexcept { return offset_and_priority >> 2; }
  [[nodiscard]] Priority priority() const noexcept {
    return static_cast<Priority>(offset_and_priority & 3);
  }
};
static_assert(sizeof(FarEntry) == 24);

inline constexpr std::size_t kPieceEntries = kSpillLargeOctets / sizeof(FarEntry);
inline constexpr std::size_t kSmallPieceEntries = kSpillSmallOctets / sizeof(FarEntry);

/// What the queues of one carrier's timers share.
struct FarSpace {
  SpillStore* spill = nullptr;  ///< none: everything stays in memory
  std::size_t entries_max = 0;  ///< in memory; beyond it pieces go to disk
  std::size_t in_memory = 0;

  [[nodiscard]] bool wants_out(std::size_t piece) const noexcept {
    if (!spill || in_memory < entries_max) return false;
    return piece == kPieceEntries ||
           (piece >= kSmallPieceEntries && in_memory >= entries_max + entries_max / 4);
  }
};

class FarQueue {
 public:
  void push(FarSpace& space, const FarEntry& entry);
  /// Nothing when empty, or while the first piece is being read.
  [[nodiscard]] std::optional<FarEntry> pop(FarSpace& space);

  /// Goes through pieces from number `piece` on and takes out entries of `flow`, until `max` are
  /// taken or `looks` entries looked at; leaves `piece` where to go on. What is on disk is asked
  /// for, and `piece` stays there.
  std::size_t take_flow(FarSpace& space, Flow flow, std::size_t max, std::size_t& looks,
                        std::size_t& piece, const std::function<void(const FarEntry&)>& sink);
  void clear(FarSpace& space) noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::size_t spilled() const noexcept { return spilled_; }
  [[nodiscard]] std::size_t pieces() const noexcept { return pieces_.size(); }
  /// Bounds of the offsets pushed: entries taken out since may have set them.
  [[nodiscard]] std::uint32_t least_offset() const noexcept { return least_offset_; }
  [[nodiscard]] std::uint32_t most_offset() const noexcept { return most_offset_; }

 private:
  struct Piece {
    std::vector<FarEntry> entries;  ///< in memory: from `begin` on
    std::size_t begin = 0;
    std::size_t count = 0;
    SpillStore::Block block = 0;
    bool is_spilled = false;
  };
  [[nodiscard]] bool bring(FarSpace& space, Piece& piece);
  void spill(FarSpace& space, Piece& piece);

  std::deque<Piece> pieces_;
  std::size_t count_ = 0;
  std::size_t spilled_ = 0;
  std::uint32_t least_offset_ = 0xffffffff;
  std::uint32_t most_offset_ = 0;
};

}  // namespace stentor::queue
