#include "daemon/references/reference_table.h"

#include <algorithm>

namespace stentor::daemon {

std::optional<queue::Locator> ReferenceTable::find(std::uint64_t key) const {
  const Map& map = maps_[key >> 56];
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return queue::Locator(found->second);
}

void ReferenceTable::put(std::uint64_t key, queue::Locator at) {
  const auto [entry, is_new] = maps_[key >> 56].insert_or_assign(key, at.bits());
  if (is_new) ++size_;
}

void ReferenceTable::forget_before(queue::Locator oldest) {
  Map& map = maps_[sweep_];
  sweep_ = (sweep_ + 1) % kMaps;
  size_ -= boost::unordered::erase_if(
      map, [oldest](const auto& entry) { return queue::Locator(entry.second) < oldest; });
}

std::vector<ReferenceEntry> ReferenceTable::entries() const {
  std::vector<ReferenceEntry> all;
  all.reserve(size_);
  for (const Map& map : maps_) {  // a map for each first octet of the keys: sorted among themselves
    const auto first = static_cast<std::ptrdiff_t>(all.size());
    for (const auto& [key, at] : map) all.push_back({.key = key, .at = at});
    std::ranges::sort(all.begin() + first, all.end(), {}, &ReferenceEntry::key);
  }
  return all;
}

}  // namespace stentor::daemon
