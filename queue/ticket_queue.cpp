#include "queue/ticket_queue.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <span>
#include <vector>

namespace stentor::queue {
namespace {

constexpr std::size_t kBlockTickets = kSpillLargeOctets / sizeof(Ticket);
// A block is asked for while this many still go before it: at 300,000 a second they last 50 ms,
// and a block of a busy disk takes less.
constexpr std::size_t kReadAheadTickets = kBlockTickets;
// A queue shorter than this has nothing worth a block of its own.
constexpr std::size_t kFrontTicketsMin = 2 * kChunkTickets;
// What expires on disk is read this many blocks at a time: 2 MiB.
constexpr int kExpiryReadsAtOnce = 8;

std::span<const Ticket> tickets_in(const std::vector<std::uint8_t>& octets) {
  // The octets were tickets when they were put; a vector's memory suits any plain type.
  return {reinterpret_cast<const Ticket*>(octets.data()), octets.size() / sizeof(Ticket)};
}

std::vector<std::uint8_t> octets_of(std::span<const Ticket> tickets) {
  std::vector<std::uint8_t> octets(tickets.size_bytes());
  std::memcpy(octets.data(), tickets.data(), tickets.size_bytes());
  return octets;
}

}  // namespace

void TicketQueue::push(TicketSpace& space, Ticket ticket, std::uint32_t now) {
  if (!behind_) {
    const bool begins_chunk = front_.tail == nullptr || front_.tail->end == front_.tail->capacity;
    if (begins_chunk && count_ >= kFrontTicketsMin && space.is_full()) {
      behind_ = std::make_unique<Behind>();
    } else {
      append(space, front_, ticket, count_ == 0 ? kSmallChunkTickets : kChunkTickets, now);
      return;
    }
  }
  append(space, behind_->chain, ticket, kChunkTickets, now);
  ++behind_->in_chain;
  const TicketChunk& last = *behind_->chain.tail;
  if (last.end != last.capacity) return;
  const bool is_block = behind_->in_chain + kChunkTickets > kBlockTickets;
  if (is_block || space.is_overfull()) spill_back_chain(space);
}

void TicketQueue::append(TicketSpace& space, Chain& chain, Ticket ticket, std::uint8_t capacity,
                         std::uint32_t now) {
  TicketChunk* chunk = chain.tail;
  if (chunk == nullptr || chunk->end == chunk->capacity) {
    chunk = space.chunks.take(capacity, now);
    (chain.tail == nullptr ? chain.head : chain.tail->next) = chunk;
    chain.tail = chunk;
  }
  chunk->tickets()[chunk->end++] = ticket;
  chunk->earliest = std::min(chunk->earliest, ticket.expires);
  earliest_ = std::min(earliest_, ticket.expires);
  ++count_;
  ++space.in_chains;
}

void TicketQueue::push_front(TicketSpace& space, Ticket ticket, std::uint32_t now) {
  TicketChunk* chunk = front_.head;
  if (chunk == nullptr || chunk->begin == 0) {
    chunk = space.chunks.take(kSmallChunkTickets, now);
    chunk->begin = chunk->end = chunk->capacity;  // fills downwards
    chunk->next = front_.head;
    front_.head = chunk;
    if (front_.tail == nullptr) front_.tail = chunk;
  }
  chunk->tickets()[--chunk->begin] = ticket;
  chunk->earliest = std::min(chunk->earliest, ticket.expires);
  earliest_ = std::min(earliest_, ticket.expires);
  ++count_;
  ++space.in_chains;
}

void TicketQueue::drop_head(TicketSpace& space) {
  TicketChunk* chunk = front_.head;
  front_.head = chunk->next;
  if (front_.head == nullptr) front_.tail = nullptr;
  space.chunks.give_back(chunk);
  if (behind_) refill(space);
  if (count_ == 0) earliest_ = kNever;
}

// The back chain becomes the last block.
void TicketQueue::spill_back_chain(TicketSpace& space) {
  Chain& chain = behind_->chain;
  std::vector<std::uint8_t> octets(behind_->in_chain * sizeof(Ticket));
  Block block{.count = static_cast<std::uint32_t>(behind_->in_chain), .since = chain.head->since};
  std::size_t filled = 0;
  for (TicketChunk* chunk = chain.head; chunk != nullptr;) {
    const std::size_t size = std::size_t{chunk->end} - chunk->begin;
    std::memcpy(&octets[filled], chunk->tickets() + chunk->begin, size * sizeof(Ticket));
    filled += size * sizeof(Ticket);
    block.earliest = std::min(block.earliest, chunk->earliest);
    TicketChunk* next = chunk->next;
    space.chunks.give_back(chunk);
    chunk = next;
  }
  assert(filled == octets.size() && "the back chain holds what was counted into it");
  chain = {};
  space.in_chains -= block.count;
  space.in_blocks += block.count;
  behind_->in_blocks += block.count;
  behind_->in_chain = 0;
  block.at = space.spill->put(std::move(octets));
  behind_->blocks.push_back(block);
}

void TicketQueue::refill(TicketSpace& space) {
  while (behind_ && in_front() < kReadAheadTickets) {
    if (behind_->blocks.empty()) {
      if (behind_->chain.head != nullptr) {
        (front_.tail == nullptr ? front_.head : front_.tail->next) = behind_->chain.head;
        front_.tail = behind_->chain.tail;
      }
      behind_.reset();
      return;
    }
    const Block block = behind_->blocks.front();
    const SpillOctets octets = space.spill->take(block.at);
    if (!octets) return space.spill->fetch(block.at, tag_);
    behind_->blocks.pop_front();
    behind_->in_blocks -= block.count;
    space.in_blocks -= block.count;
    count_ -= block.count;  // append() counts them again
    for (const Ticket& ticket : tickets_in(*octets)) {
      append(space, front_, ticket, kChunkTickets, block.since);
    }
  }
}

bool TicketQueue::Expiry::takes(const Ticket& ticket) {
  if (ticket.expires > now || left == 0) return false;
  --left;
  sink(ticket);
  return true;
}

std::size_t TicketQueue::take_expired(TicketSpace& space, std::uint32_t now, std::size_t max,
                                      const Sink& sink) {
  if (earliest_ > now) return 0;
  Expiry expiry{.now = now, .left = max, .sink = sink};
  earliest_ = kNever;
  expire_chain(space, front_, expiry);
  if (behind_) {
    expire_blocks(space, expiry);
    behind_->in_chain -= expire_chain(space, behind_->chain, expiry);
    refill(space);
  }
  return max - expiry.left;
}

// Answers how many have expired.
std::size_t TicketQueue::expire_chain(TicketSpace& space, Chain& chain, Expiry& expiry) {
  const std::size_t before = expiry.left;
  chain.tail = nullptr;
  for (TicketChunk** link = &chain.head; *link != nullptr;) {
    TicketChunk* chunk = *link;
    if (chunk->earliest <= expiry.now && expiry.left > 0) {
      chunk->earliest = kNever;
      std::uint8_t kept = chunk->begin;
      for (std::uint8_t i = chunk->begin; i != chunk->end; ++i) {
        const Ticket ticket = chunk->tickets()[i];
        if (expiry.takes(ticket)) continue;
        chunk->earliest = std::min(chunk->earliest, ticket.expires);
        chunk->tickets()[kept++] = ticket;
      }
      chunk->end = kept;
    }
    if (chunk->begin == chunk->end) {
      *link = chunk->next;
      space.chunks.give_back(chunk);
      continue;
    }
    earliest_ = std::min(earliest_, chunk->earliest);
    chain.tail = chunk;
    link = &chunk->next;
  }
  const std::size_t expired = before - expiry.left;
  count_ -= static_cast<std::uint32_t>(expired);
  space.in_chains -= expired;
  return expired;
}

void TicketQueue::expire_blocks(TicketSpace& space, Expiry& expiry) {
  int reads_left = kExpiryReadsAtOnce;
  std::deque<Block>& blocks = behind_->blocks;
  auto kept = blocks.begin();
  for (Block& block : blocks) {
    const bool is_due = block.earliest <= expiry.now && expiry.left > 0 && reads_left > 0;
    if (is_due && !expire_block(space, block, expiry)) --reads_left;
    if (block.count == 0) continue;
    earliest_ = std::min(earliest_, block.earliest);
    *kept++ = block;
  }
  blocks.erase(kept, blocks.end());
}

// False when its tickets have to be read first.
bool TicketQueue::expire_block(TicketSpace& space, Block& block, Expiry& expiry) {
  const SpillOctets octets = space.spill->take(block.at);
  if (!octets) {
    space.spill->fetch(block.at, tag_);
    return false;
  }
  std::vector<Ticket> left;
  left.reserve(block.count);
  block.earliest = kNever;
  for (const Ticket& ticket : tickets_in(*octets)) {
    if (expiry.takes(ticket)) continue;
    block.earliest = std::min(block.earliest, ticket.expires);
    left.push_back(ticket);
  }
  const std::size_t expired = block.count - left.size();
  count_ -= static_cast<std::uint32_t>(expired);
  space.in_blocks -= expired;
  behind_->in_blocks -= expired;
  block.count = static_cast<std::uint32_t>(left.size());
  if (!left.empty()) block.at = space.spill->put(octets_of(left));
  return true;
}

std::uint32_t TicketQueue::since() const noexcept {
  if (front_.head != nullptr) return front_.head->since;
  return behind_->blocks.empty() ? behind_->chain.head->since : behind_->blocks.front().since;
}

void TicketQueue::clear(TicketSpace& space) noexcept {
  const auto give_back = [&space](Chain& chain) {
    while (chain.head != nullptr) {
      TicketChunk* next = chain.head->next;
      space.chunks.give_back(chain.head);
      chain.head = next;
    }
    chain.tail = nullptr;
  };
  space.in_chains -= in_front() + (behind_ ? behind_->in_chain : 0);
  give_back(front_);
  if (behind_) {
    give_back(behind_->chain);
    space.in_blocks -= behind_->in_blocks;
    for (const Block& block : behind_->blocks) space.spill->drop(block.at);
    behind_.reset();
  }
  count_ = 0;
}

}  // namespace stentor::queue
