#include "queue/due_heap.h"

#include <algorithm>

namespace stentor::queue {
namespace {

// Four children lie in two cache lines, and the tree is half as deep as one of two.
constexpr std::size_t kChildren = 4;

bool goes_before(const DueHeap::Entry& left, const DueHeap::Entry& right) noexcept {
  if (left.due_ms != right.due_ms) return left.due_ms < right.due_ms;
  return left.ticket.at < right.ticket.at;
}

}  // namespace

void DueHeap::push(std::int64_t due_ms, Priority priority, Flow flow, Ticket ticket) {
  if (size_ == pieces_.size() * kPieceEntries) {
    pieces_.push_back(std::make_unique_for_overwrite<Entry[]>(kPieceEntries));
  }
  const Entry entry{due_ms, ticket, flow, priority};
  std::size_t hole = size_++;
  while (hole > 0) {
    const std::size_t parent = (hole - 1) / kChildren;
    if (!goes_before(entry, at(parent))) break;
    at(hole) = at(parent);
    hole = parent;
  }
  at(hole) = entry;
}

std::optional<DueHeap::Entry> DueHeap::pop_due(std::int64_t now_ms) {
  if (size_ == 0 || at(0).due_ms > now_ms) return std::nullopt;
  const Entry first = at(0);
  const Entry last = at(--size_);
  if (size_ > 0) sift_down(last);
  // One piece more than needed stays, so that a size about a bound does not allocate each time.
  if (size_ + 2 * kPieceEntries <= pieces_.size() * kPieceEntries) pieces_.pop_back();
  return first;
}

std::optional<std::int64_t> DueHeap::next_due() const noexcept {
  if (size_ == 0) return std::nullopt;
  return at(0).due_ms;
}

void DueHeap::sift_down(Entry entry) noexcept {
  std::size_t hole = 0;
  while (true) {
    const std::size_t first = hole * kChildren + 1;
    if (first >= size_) break;
    std::size_t least = first;
    for (std::size_t child = first + 1; child < std::min(first + kChildren, size_); ++child) {
      if (goes_before(at(child), at(least))) least = child;
    }
    if (!goes_before(at(least), entry)) break;
    at(hole) = at(least);
    hole = least;
  }
  at(hole) = entry;
}

}  // namespace stentor::queue
