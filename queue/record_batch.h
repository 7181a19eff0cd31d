// Records on their way into the journal, laid out as they will lie on disk.
//
// A thread fills a batch, hands it to the committing thread, and gets it back (or shares it
// onward) once it is durable. Nothing is copied in between: the journal writes these octets.
//
// Units    Octets.
// Owns     Its octets. clear() keeps the memory for the next use.
// Errors   None: add() asserts the record bound.
// Threads  One thread at a time until committed; read-only afterwards, so that several threads
//          may then hold it through shared_ptr<const RecordBatch>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "queue/locator.h"

namespace stentor::queue {

/// A record's payload. A socket line is at most 64 KiB and its record is not longer by more than a
/// few hundred octets; 128 KiB leaves room and bounds what recovery must believe of a length.
inline constexpr std::uint32_t kRecordOctetsMax = 128u << 10;

/// A batch is handed over at the latest when it has grown to this: 1 MiB, a quarter of the largest
/// block, so that one block can always take a full batch from every thread of a small machine.
inline constexpr std::uint32_t kBatchOctetsMax = 1u << 20;

/// One record as read back. `payload` points into the reader's or batch's memory.
struct Record {
  std::uint8_t kind = 0;  ///< the caller's own; 0 is never written
  std::span<const std::uint8_t> payload;
  Locator at;
};

class RecordBatch {
 public:
  RecordBatch() = default;
  explicit RecordBatch(std::size_t octets_reserved) { octets_.reserve(octets_reserved); }

  /// Appends one record (kind, varint length, payload); returns its offset for at().
  std::uint32_t add(std::uint8_t kind, std::span<const std::uint8_t> payload);

  [[nodiscard]] bool is_empty() const noexcept { return octets_.empty(); }
  [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept { return octets_; }

  /// Said by the journal once the batch is durable: where its first octet lies.
  void set_base(Locator base) noexcept { base_ = base; }
  [[nodiscard]] Locator base() const noexcept { return base_; }
  /// Where the record that add() placed at `offset` lies; only after set_base().
  [[nodiscard]] Locator at(std::uint32_t offset) const noexcept {
    return Locator(base_.bits() + offset);
  }
  /// True when `place` is a record of this batch.
  [[nodiscard]] bool holds(Locator place) const noexcept {
    return !base_.is_nowhere() && place >= base_ && place.bits() < base_.bits() + octets_.size();
  }
  /// The record at `place`, which this batch holds.
  [[nodiscard]] Record record(Locator place) const noexcept;

  void clear() noexcept {
    octets_.clear();
    base_ = Locator{};
  }

 private:
  std::vector<std::uint8_t> octets_;
  Locator base_;
};

}  // namespace stentor::queue
