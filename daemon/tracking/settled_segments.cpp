#include "daemon/tracking/settled_segments.h"

namespace stentor::daemon {

void SettledSegments::put(std::string_view id, SettledSegment segment) {
  const std::uint64_t key = hash(id);
  if (order_.size() < kEntriesMax) {
    order_.push_back(key);
  } else {
    entries_.erase(order_[oldest_]);
    order_[oldest_] = key;
    oldest_ = (oldest_ + 1) % kEntriesMax;
  }
  entries_[key] = segment;
}

std::optional<SettledSegment> SettledSegments::find(std::string_view id) const {
  const auto found = entries_.find(hash(id));
  if (found == entries_.end()) return std::nullopt;
  return found->second;
}

}  // namespace stentor::daemon
