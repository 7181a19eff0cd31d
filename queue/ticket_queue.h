// The waiting tickets of one flow in one priority: first in, first out, in memory and on disk.
//
// Internal to lanes. In memory all is one chain of chunks. When the lanes hold more in memory than
// they may, what comes is collected behind that chain and goes to disk in blocks; from then on the
// order is: front chain, blocks, back chain. Blocks are read ahead before the front chain ends,
// and when none is left the two chains are one again.
//
// Units    Counts are tickets; seconds are Unix time, passed in.
// Owns     Its chunks and blocks, until clear() or the last ticket is taken: the lane that holds
//          the queue clears it.
// Errors   What spilling may meet stays in SpillStore.
// Threads  One thread.
// Spec     docs/queue.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>

#include "queue/spill_store.h"
#include "queue/ticket_chunk.h"

namespace stentor::queue {

inline constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

/// What the queues of one carrier's lanes share.
struct TicketSpace {
  ChunkStore chunks;
  SpillStore* spill = nullptr;  ///< none: everything stays in memory
  std::size_t tickets_max = 0;  ///< in chains; beyond it queues begin to spill
  std::size_t in_chains = 0;
  std::size_t in_blocks = 0;

  [[nodiscard]] bool is_full() const noexcept { return spill && in_chains >= tickets_max; }
  /// Even so much that back chains go to disk before they fill a block.
  [[nodiscard]] bool is_overfull() const noexcept {
    return spill && in_chains >= tickets_max + tickets_max / 4;
  }
};

class TicketQueue {
 public:
  using Sink = std::function<void(const Ticket&)>;

  /// What SpillStore says when a block of this queue is here.
  void set_tag(std::uint32_t tag) noexcept { tag_ = tag; }

  void push(TicketSpace& space, Ticket ticket, std::uint32_t now);
  void push_front(TicketSpace& space, Ticket ticket, std::uint32_t now);
  /// has_front() must be true.
  [[nodiscard]] Ticket pop(TicketSpace& space) {
    TicketChunk* chunk = front_.head;
    const Ticket ticket = chunk->tickets()[chunk->begin++];
    --count_;
    --space.in_chains;
    if (chunk->begin == chunk->end) drop_head(space);
    return ticket;
  }
  /// Brings up what was read from disk, and asks for what comes next.
  void refill(TicketSpace& space);
  /// Takes out up to `max` tickets that expire at or before `now` and calls `sink` for each.
  /// Returns how many. What is left over stays until a later call, and so does what has to be read
  /// from disk: earliest() says so.
  std::size_t take_expired(TicketSpace& space, std::uint32_t now, std::size_t max,
                           const Sink& sink);
  void clear(TicketSpace& space) noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Whether pop() may be called: false too while the next block is being read.
  [[nodiscard]] bool has_front() const noexcept { return front_.head != nullptr; }
  /// No ticket of it expires before this step.
  [[nodiscard]] std::uint32_t earliest() const noexcept { return earliest_; }
  /// When its oldest chunk got its first ticket; the queue must not be empty.
  [[nodiscard]] std::uint32_t since() const noexcept;
  void prefetch() const noexcept { __builtin_prefetch(front_.head); }

 private:
  struct Chain {
    TicketChunk* head = nullptr;
    TicketChunk* tail = nullptr;
  };
  struct Block {
    SpillStore::Block at = 0;
    std::uint32_t count = 0;
    std::uint32_t earliest = kNever;
    std::uint32_t since = 0;
  };
  struct Behind {
    std::deque<Block> blocks;
    Chain chain;
    std::size_t in_chain = 0;
    std::size_t in_blocks = 0;
  };

  void append(TicketSpace& space, Chain& chain, Ticket ticket, std::uint8_t capacity,
              std::uint32_t now);
  void drop_head(TicketSpace& space);
  void spill_back_chain(TicketSpace& space);
  struct Expiry {
    std::uint32_t now;
    std::size_t left;  ///< tickets that may still be taken out
    const Sink& sink;

    [[nodiscard]] bool takes(const Ticket& ticket);
  };
  std::size_t expire_chain(TicketSpace& space, Chain& chain, Expiry& expiry);
  void expire_blocks(TicketSpace& space, Expiry& expiry);
  [[nodiscard]] bool expire_block(TicketSpace& space, Block& block, Expiry& expiry);
  [[nodiscard]] std::size_t in_front() const noexcept {
    return std::size_t{count_} - (behind_ ? behind_->in_chain + behind_->in_blocks : 0);
  }

  Chain front_;
  std::unique_ptr<Behind> behind_;  // while something of it is on disk
  std::uint32_t count_ = 0;         // 2^32 of 16 octets are more than any disk of ours
  std::uint32_t earliest_ = kNever;
  std::uint32_t tag_ = 0;
};

}  // namespace stentor::queue
