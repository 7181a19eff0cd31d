#include "queue/lanes.h"

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cassert>
#include <limits>
#include <vector>

#include "queue/ticket_chunk.h"

namespace stentor::queue {
namespace {

constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

/// The waiting tickets of one flow, and its place in the ring of flows that take turns.
struct FlowQueue {
  TicketChunk* head = nullptr;
  TicketChunk* tail = nullptr;
  Flow flow = 0;
  std::uint32_t before = kNobody;
  std::uint32_t after = kNobody;
  std::uint32_t earliest = kNever;  // no ticket of it expires before this second
};

/// One priority: a ring of the flows that have something to send.
class Lane {
 public:
  explicit Lane(ChunkStore& store) : store_(store) {}
  ~Lane() {
    for (const FlowQueue& queue : queues_) {
      for (TicketChunk* chunk = queue.head; chunk != nullptr;) {
        TicketChunk* next = chunk->next;
        store_.give_back(chunk);
        chunk = next;
      }
    }
  }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void push(Flow flow, Ticket ticket, std::uint32_t now) {
    FlowQueue& queue = queues_[queue_of(flow, Turn::last)];
    TicketChunk* chunk = queue.tail;
    if (chunk == nullptr || chunk->end == chunk->capacity) {
      chunk = store_.take(chunk == nullptr ? kSmallChunkTickets : kChunkTickets, now);
      (queue.tail == nullptr ? queue.head : queue.tail->next) = chunk;
      queue.tail = chunk;
    }
    chunk->tickets()[chunk->end++] = ticket;
    note(queue, *chunk, ticket);
  }

  void push_front(Flow flow, Ticket ticket, std::uint32_t now) {
    FlowQueue& queue = queues_[queue_of(flow, Turn::next)];
    TicketChunk* chunk = queue.head;
    if (chunk == nullptr || chunk->begin == 0) {
      chunk = store_.take(kSmallChunkTickets, now);
      chunk->begin = chunk->end = chunk->capacity;  // fills downwards
      chunk->next = queue.head;
      queue.head = chunk;
      if (queue.tail == nullptr) queue.tail = chunk;
    }
    chunk->tickets()[--chunk->begin] = ticket;
    note(queue, *chunk, ticket);
  }

  [[nodiscard]] Lanes::Pick pop(Priority priority) {
    assert(waiting_ > 0 && "only a lane where something waits is picked from");
    const std::uint32_t index = turn_;
    FlowQueue& queue = queues_[index];
    TicketChunk* chunk = queue.head;
    const Lanes::Pick pick{chunk->tickets()[chunk->begin++], queue.flow, priority};
    --waiting_;
    turn_ = queue.after;
    if (chunk->begin == chunk->end) {
      queue.head = chunk->next;
      store_.give_back(chunk);
      if (queue.head == nullptr) retire(index);
    }
    if (turn_ != kNobody) {
      // With thousands of flows each pick is at a place of its own: fetch the next ones meanwhile.
      const FlowQueue& coming = queues_[turn_];
      __builtin_prefetch(coming.head);
      __builtin_prefetch(&queues_[coming.after]);
    }
    return pick;
  }

  void take_expired(Priority priority, std::uint32_t now,
                    const std::function<void(const Lanes::Pick&)>& sink) {
    if (earliest_ > now) return;
    earliest_ = kNever;
    for (std::uint32_t index = 0; index < queues_.size(); ++index) {
      FlowQueue& queue = queues_[index];
      if (queue.head == nullptr) continue;
      if (queue.earliest <= now) take_expired(queue, priority, now, sink);
      if (queue.head == nullptr) {
        retire(index);
      } else {
        earliest_ = std::min(earliest_, queue.earliest);
      }
    }
  }

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }

  [[nodiscard]] std::optional<std::uint32_t> oldest_since() const noexcept {
    if (waiting_ == 0) return std::nullopt;
    std::uint32_t oldest = kNever;
    for (const FlowQueue& queue : queues_) {
      if (queue.head != nullptr) oldest = std::min(oldest, queue.head->since);
    }
    return oldest;
  }

 private:
  enum class Turn : std::uint8_t { next, last };

  // The queue of `flow`; a new one takes its turn as said.
  std::uint32_t queue_of(Flow flow, Turn turn) {
    const auto [known, is_new] = index_.try_emplace(flow, kNobody);
    if (!is_new) return known->second;
    std::uint32_t index = 0;
    if (unused_.empty()) {
      index = static_cast<std::uint32_t>(queues_.size());
      queues_.emplace_back();
    } else {
      index = unused_.back();
      unused_.pop_back();
    }
    known->second = index;
    FlowQueue& queue = queues_[index];
    queue.flow = flow;
    if (turn_ == kNobody) {
      queue.before = queue.after = turn_ = index;
      return index;
    }
    // Before the one whose turn it is: that is behind all others, unless the turn moves here.
    queue.after = turn_;
    queue.before = queues_[turn_].before;
    queues_[queue.before].after = index;
    queues_[turn_].before = index;
    if (turn == Turn::next) turn_ = index;
    return index;
  }

  void retire(std::uint32_t index) {
    FlowQueue& queue = queues_[index];
    queues_[queue.before].after = queue.after;
    queues_[queue.after].before = queue.before;
    if (turn_ == index) turn_ = queue.after == index ? kNobody : queue.after;
    index_.erase(queue.flow);
    queue = FlowQueue{};
    unused_.push_back(index);
  }

  void note(FlowQueue& queue, TicketChunk& chunk, const Ticket& ticket) noexcept {
    chunk.earliest = std::min(chunk.earliest, ticket.expires);
    queue.earliest = std::min(queue.earliest, ticket.expires);
    earliest_ = std::min(earliest_, ticket.expires);
    ++waiting_;
  }

  void take_expired(FlowQueue& queue, Priority priority, std::uint32_t now,
                    const std::function<void(const Lanes::Pick&)>& sink) {
    queue.earliest = kNever;
    queue.tail = nullptr;
    for (TicketChunk** link = &queue.head; *link != nullptr;) {
      TicketChunk* chunk = *link;
      if (chunk->earliest <= now) {
        chunk->earliest = kNever;
        std::uint8_t kept = chunk->begin;
        for (std::uint8_t i = chunk->begin; i != chunk->end; ++i) {
          const Ticket ticket = chunk->tickets()[i];
          if (ticket.expires <= now) {
            --waiting_;
            sink({ticket, queue.flow, priority});
          } else {
            chunk->earliest = std::min(chunk->earliest, ticket.expires);
            chunk->tickets()[kept++] = ticket;
          }
        }
        chunk->end = kept;
      }
      if (chunk->begin == chunk->end) {
        *link = chunk->next;
        store_.give_back(chunk);
        continue;
      }
      queue.earliest = std::min(queue.earliest, chunk->earliest);
      queue.tail = chunk;
      link = &chunk->next;
    }
  }

  ChunkStore& store_;
  std::vector<FlowQueue> queues_;  // as many as there ever were flows at once
  std::vector<std::uint32_t> unused_;
  boost::unordered_flat_map<Flow, std::uint32_t> index_;
  std::uint32_t turn_ = kNobody;
  std::uint32_t earliest_ = kNever;
  std::size_t waiting_ = 0;
};

}  // namespace

class Lanes::Body {
 public:
  [[nodiscard]] Lane& lane(Priority priority) noexcept {
    return lanes_[static_cast<std::size_t>(priority)];
  }

  [[nodiscard]] std::optional<Pick> pop() {
    if (lane(Priority::urgent).waiting() > 0) return lane(Priority::urgent).pop(Priority::urgent);
    const bool has_normal = lane(Priority::normal).waiting() > 0;
    const bool has_bulk = lane(Priority::bulk).waiting() > 0;
    if (!has_normal && !has_bulk) return std::nullopt;
    // The count runs only while both wait: bulk has no claim to make up for when it comes.
    since_bulk_ = has_normal && has_bulk ? since_bulk_ + 1 : 0;
    if (has_normal && has_bulk && since_bulk_ < kBulkShare) {
      return lane(Priority::normal).pop(Priority::normal);
    }
    since_bulk_ = 0;
    const Priority priority = has_bulk ? Priority::bulk : Priority::normal;
    return lane(priority).pop(priority);
  }

 private:
  ChunkStore store_;
  std::array<Lane, kPriorities> lanes_{Lane(store_), Lane(store_), Lane(store_)};
  std::uint32_t since_bulk_ = 0;
};

Lanes::Lanes() : body_(std::make_unique<Body>()) {}
Lanes::~Lanes() = default;

void Lanes::push(Priority priority, Flow flow, Ticket ticket, std::uint32_t now) {
  body_->lane(priority).push(flow, ticket, now);
}

void Lanes::push_front(Priority priority, Flow flow, Ticket ticket, std::uint32_t now) {
  body_->lane(priority).push_front(flow, ticket, now);
}

std::optional<Lanes::Pick> Lanes::pop() {
  return body_->pop();
}

void Lanes::take_expired(std::uint32_t now, const std::function<void(const Pick&)>& sink) {
  for (const Priority priority : {Priority::urgent, Priority::normal, Priority::bulk}) {
    body_->lane(priority).take_expired(priority, now, sink);
  }
}

std::size_t Lanes::waiting() const noexcept {
  return waiting(Priority::urgent) + waiting(Priority::normal) + waiting(Priority::bulk);
}

std::size_t Lanes::waiting(Priority priority) const noexcept {
  return body_->lane(priority).waiting();
}

std::optional<std::uint32_t> Lanes::oldest_since(Priority priority) const noexcept {
  return body_->lane(priority).oldest_since();
}

}  // namespace stentor::queue
