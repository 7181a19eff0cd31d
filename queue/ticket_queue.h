// The waiting tickets of one flow in one priority: first in, first out, in chunks.
//
// Internal to lanes.
//
// Units    Counts are tickets; seconds are Unix time, passed in.
// Owns     Its chunks, until clear() or the last ticket is taken: it is moved about as plain
//          octets, so the lane that holds it clears it.
// Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>

#include "queue/ticket_chunk.h"

namespace stentor::queue {

inline constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

class TicketQueue {
 public:
  void push(ChunkStore& store, Ticket ticket, std::uint32_t now);
  void push_front(ChunkStore& store, Ticket ticket, std::uint32_t now);
  /// The queue must not be empty.
  [[nodiscard]] Ticket pop(ChunkStore& store) noexcept {
    TicketChunk* chunk = head_;
    const Ticket ticket = chunk->tickets()[chunk->begin++];
    --count_;
    if (chunk->begin == chunk->end) drop_head(store);
    return ticket;
  }
  /// Calls `sink` for each ticket that expires at or before `now`, and takes it out.
  void take_expired(ChunkStore& store, std::uint32_t now,
                    const std::function<void(const Ticket&)>& sink);
  void clear(ChunkStore& store) noexcept;

  [[nodiscard]] bool is_empty() const noexcept { return head_ == nullptr; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// No ticket of it expires before this second.
  [[nodiscard]] std::uint32_t earliest() const noexcept { return earliest_; }
  /// When the first chunk got its first ticket; the queue must not be empty.
  [[nodiscard]] std::uint32_t since() const noexcept { return head_->since; }
  void prefetch() const noexcept { __builtin_prefetch(head_); }

 private:
  void note(TicketChunk& chunk, const Ticket& ticket) noexcept;
  void drop_head(ChunkStore& store) noexcept;

  TicketChunk* head_ = nullptr;
  TicketChunk* tail_ = nullptr;
  std::size_t count_ = 0;
  std::uint32_t earliest_ = kNever;
};

}  // namespace stentor::queue
