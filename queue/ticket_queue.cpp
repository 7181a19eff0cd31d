#include "queue/ticket_queue.h"

#include <algorithm>

namespace stentor::queue {

void TicketQueue::push(ChunkStore& store, Ticket ticket, std::uint32_t now) {
  TicketChunk* chunk = tail_;
  if (chunk == nullptr || chunk->end == chunk->capacity) {
    chunk = store.take(chunk == nullptr ? kSmallChunkTickets : kChunkTickets, now);
    (tail_ == nullptr ? head_ : tail_->next) = chunk;
    tail_ = chunk;
  }
  chunk->tickets()[chunk->end++] = ticket;
  note(*chunk, ticket);
}

void TicketQueue::push_front(ChunkStore& store, Ticket ticket, std::uint32_t now) {
  TicketChunk* chunk = head_;
  if (chunk == nullptr || chunk->begin == 0) {
    chunk = store.take(kSmallChunkTickets, now);
    chunk->begin = chunk->end = chunk->capacity;  // fills downwards
    chunk->next = head_;
    head_ = chunk;
    if (tail_ == nullptr) tail_ = chunk;
  }
  chunk->tickets()[--chunk->begin] = ticket;
  note(*chunk, ticket);
}

void TicketQueue::note(TicketChunk& chunk, const Ticket& ticket) noexcept {
  chunk.earliest = std::min(chunk.earliest, ticket.expires);
  earliest_ = std::min(earliest_, ticket.expires);
  ++count_;
}

void TicketQueue::drop_head(ChunkStore& store) noexcept {
  TicketChunk* chunk = head_;
  head_ = chunk->next;
  if (head_ == nullptr) {
    tail_ = nullptr;
    earliest_ = kNever;
  }
  store.give_back(chunk);
}

void TicketQueue::take_expired(ChunkStore& store, std::uint32_t now,
                               const std::function<void(const Ticket&)>& sink) {
  if (earliest_ > now) return;
  earliest_ = kNever;
  tail_ = nullptr;
  for (TicketChunk** link = &head_; *link != nullptr;) {
    TicketChunk* chunk = *link;
    if (chunk->earliest <= now) {
      chunk->earliest = kNever;
      std::uint8_t kept = chunk->begin;
      for (std::uint8_t i = chunk->begin; i != chunk->end; ++i) {
        const Ticket ticket = chunk->tickets()[i];
        if (ticket.expires <= now) {
          --count_;
          sink(ticket);
        } else {
          chunk->earliest = std::min(chunk->earliest, ticket.expires);
          chunk->tickets()[kept++] = ticket;
        }
      }
      chunk->end = kept;
    }
    if (chunk->begin == chunk->end) {
      *link = chunk->next;
      store.give_back(chunk);
      continue;
    }
    earliest_ = std::min(earliest_, chunk->earliest);
    tail_ = chunk;
    link = &chunk->next;
  }
}

void TicketQueue::clear(ChunkStore& store) noexcept {
  while (head_ != nullptr) drop_head(store);
  count_ = 0;
}

}  // namespace stentor::queue
