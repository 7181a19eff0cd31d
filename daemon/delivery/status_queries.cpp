#include "daemon/delivery/status_queries.h"

#include <algorithm>

namespace stentor::daemon {

// Parts of one message are neighbours: odd multiples keep them apart from other messages' parts.
std::uint64_t StatusQueries::key_of(std::uint64_t message, std::uint8_t part) noexcept {
  return message * 0x9e3779b97f4a7c15u + part;
}

bool StatusQueries::put(const Segment& segment, TimePoint due) {
  if (ids_.size() >= segments_max_) return false;
  ids_.insert_or_assign(key_of(segment.at.bits(), segment.part), segment.message_id);
  drop_forgotten();
  heap_.push_back({due, segment.last_chance, segment.at.bits(), segment.part, segment.refusals});
  std::ranges::push_heap(heap_, is_later);
  return true;
}

void StatusQueries::forget(queue::Locator at, std::uint8_t part) {
  ids_.erase(key_of(at.bits(), part));
}

std::optional<StatusQueries::Segment> StatusQueries::take_due(TimePoint now) {
  while (!heap_.empty() && heap_.front().at <= now) {
    std::ranges::pop_heap(heap_, is_later);
    const Due due = heap_.back();
    heap_.pop_back();
    const auto found = ids_.find(key_of(due.message, due.part));
    if (found == ids_.end()) continue;
    Segment segment{queue::Locator(due.message), due.part, std::move(found->second), due.refusals,
                    due.last_chance};
    ids_.erase(found);
    return segment;
  }
  return std::nullopt;
}

// Most receipts come long before anybody would ask: the heap is swept when it is mostly those.
void StatusQueries::drop_forgotten() {
  constexpr std::size_t kNotWorthwhile = 1024;
  if (heap_.size() < 2 * ids_.size() + kNotWorthwhile) return;
  std::erase_if(heap_,
                [this](const Due& due) { return !ids_.contains(key_of(due.message, due.part)); });
  std::ranges::make_heap(heap_, is_later);
}

}  // namespace stentor::daemon
