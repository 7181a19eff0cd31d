// A producer's own end of the commit thread: the batch being filled, and those on their way.
//
// Units    Octets; batch numbers count from 1 and become durable in order.
// Owns     The open batch and a share of each batch in flight.
// Errors   A batch that failed is told by on_settled with its failure set.
// Threads  The producer's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>

#include "daemon/commit/commit_thread.h"

namespace stentor::daemon {

/// Handed over at this size even when more could follow: a quarter of a MiB is where another sync
/// costs less than the wait (design.md, "Commit").
inline constexpr std::size_t kBatchFlushOctets = 256u << 10;

/// What one request may add to a batch, so that a transaction of many recipients fits one block.
inline constexpr std::size_t kRequestOctetsMax = 1280u << 10;
inline constexpr std::size_t kCommitBatchOctetsMax = kBatchFlushOctets + kRequestOctetsMax;

class CommitFeed {
 public:
  /// `shards` is how many arrival lists each batch has; 0 for producers that accept no messages.
  CommitFeed(CommitThread& thread, bool may_be_refused, std::size_t shards,
             std::function<void()> on_durable);

  [[nodiscard]] CommitBatch& open();
  /// The number of the batch that open() fills: durable once durable() reaches it.
  [[nodiscard]] std::uint64_t open_number() const noexcept { return next_number_; }
  /// The batch that carries what was added last: what depends on it waits for this one.
  [[nodiscard]] std::uint64_t last_written() const noexcept {
    return open_ && !open_->records.is_empty() ? next_number_ : next_number_ - 1;
  }
  /// The number of the latest batch that is settled, durable or failed.
  [[nodiscard]] std::uint64_t settled() const noexcept { return settled_; }

  /// The oldest journal file there is.
  [[nodiscard]] std::uint32_t oldest_file() const noexcept { return thread_.oldest_file(); }

  /// True when nothing more should be added before a batch comes back.
  [[nodiscard]] bool is_full() const noexcept {
    return in_flight_.size() >= kBatchesInFlightMax && open_ &&
           open_->records.octets().size() >= kBatchFlushOctets;
  }
  [[nodiscard]] bool is_idle() const noexcept {
    return in_flight_.empty() && (!open_ || open_->records.is_empty());
  }
  /// Hands the open batch over when there is one and not too many are in flight.
  void flush();
  /// As flush(), only when the batch has grown to kBatchFlushOctets.
  void flush_when_large() {
    if (open_ && open_->records.octets().size() >= kBatchFlushOctets) flush();
  }

  /// Takes batches that came back and calls `on_settled` for each, in order.
  void collect(const std::function<void(const BatchPointer&)>& on_settled);

  /// A record of a batch not yet settled, by its offset; nothing when the batch is gone.
  [[nodiscard]] std::optional<std::span<const std::uint8_t>> pending_record(
      std::uint64_t number, std::uint32_t offset) const;

 private:
  CommitThread& thread_;
  CommitLane& lane_;
  const std::size_t shards_;
  BatchPointer open_;
  std::deque<BatchPointer> in_flight_;
  std::uint64_t next_number_ = 1;
  std::uint64_t settled_ = 0;
};

}  // namespace stentor::daemon
