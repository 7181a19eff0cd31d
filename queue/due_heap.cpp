#include "queue/due_heap.h"

#include <algorithm>

namespace stentor::queue {
namespace {

// Four children lie in two cache lines, and the tree is half as deep as one of two.
constexpr std::size_t kChildren = 4;
// One call of take_flow() looks at this many entries, 2 MiB of them: less than a millisecond.
constexpr std::size_t kLooksMax = 65'536;

bool goes_before(const DueHeap::Entry& left, const DueHeap::Entry& right) noexcept {
  if (left.due_ms != right.due_ms) return left.due_ms < right.due_ms;
  return left.ticket.at < right.ticket.at;
}

}  // namespace

void DueHeap::push(std::int64_t due_ms, Priority priority, Flow flow, Ticket ticket) {
  if (size_ == pieces_.size() * kPieceEntries) {
    pieces_.push_back(std::make_unique_for_overwrite<Entry[]>(kPieceEntries));
  }
  ++by_flow_[flow];
  sift_up(size_++, {due_ms, ticket, flow, priority});
}

std::optional<DueHeap::Entry> DueHeap::pop_due(std::int64_t now_ms) {
  if (size_ == 0 || at(0).due_ms > now_ms) return std::nullopt;
  const Entry first = at(0);
  remove(0);
  return first;
}

std::optional<std::int64_t> DueHeap::next_due() const noexcept {
  if (size_ == 0) return std::nullopt;
  return at(0).due_ms;
}

std::size_t DueHeap::take_flow(Flow flow, std::size_t max, const Sink& sink) {
  const std::size_t wanted = std::min(max, waiting_of(flow));
  if (flow != sought_) look_below_ = 0;
  sought_ = flow;
  std::size_t taken = 0;
  for (std::size_t looks = 0; taken < wanted && looks < kLooksMax; ++looks) {
    if (look_below_ == 0 || look_below_ > size_) look_below_ = size_;
    const Entry entry = at(look_below_ - 1);
    if (entry.flow != flow) {
      --look_below_;
      continue;
    }
    remove(look_below_ - 1);  // another stands in its place: looked at next
    ++taken;
    sink(entry);
  }
  return taken;
}

std::size_t DueHeap::take_all(std::size_t max, const Sink& sink) {
  std::size_t taken = 0;
  for (; taken < max && size_ > 0; ++taken) {
    const Entry last = at(size_ - 1);
    remove(size_ - 1);
    sink(last);
  }
  return taken;
}

std::size_t DueHeap::waiting_of(Flow flow) const noexcept {
  const auto known = by_flow_.find(flow);
  return known == by_flow_.end() ? 0 : known->second;
}

void DueHeap::remove(std::size_t index) noexcept {
  count_out(at(index).flow);
  const Entry last = at(--size_);
  if (index < size_) {
    if (index > 0 && goes_before(last, at((index - 1) / kChildren))) {
      sift_up(index, last);
    } else {
      sift_down(index, last);
    }
  }
  // One piece more than needed stays, so that a size about a bound does not allocate each time.
  if (size_ + 2 * kPieceEntries <= pieces_.size() * kPieceEntries) pieces_.pop_back();
}

void DueHeap::count_out(Flow flow) noexcept {
  const auto counted = by_flow_.find(flow);
  if (--counted->second == 0) by_flow_.erase(counted);
}

void DueHeap::sift_up(std::size_t hole, const Entry& entry) noexcept {
  while (hole > 0) {
    const std::size_t parent = (hole - 1) / kChildren;
    if (!goes_before(entry, at(parent))) break;
    at(hole) = at(parent);
    hole = parent;
  }
  at(hole) = entry;
}

void DueHeap::sift_down(std::size_t hole, const Entry& entry) noexcept {
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
