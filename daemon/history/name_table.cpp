#include "daemon/history/name_table.h"

#include <algorithm>
#include <span>

namespace stentor::daemon {

bool NameTable::read(queue::File& file, std::size_t first, std::size_t max,
                     std::vector<IndexEntry>& out) const {
  out.resize(std::min(max, count_ - std::min(first, count_)));
  const std::span<std::uint8_t> room(reinterpret_cast<std::uint8_t*>(out.data()),
                                     out.size() * sizeof(IndexEntry));
  const auto read = file.read(at_ + first * sizeof(IndexEntry), room);
  return read && *read == room.size();
}

void NameTable::find(queue::File& file, std::uint64_t key, std::vector<std::uint64_t>& places) {
  // Equal keys may begin on the page before the first fence that is not less.
  const auto fence = std::ranges::lower_bound(fences_, key);
  auto page = static_cast<std::size_t>(fence - fences_.begin());
  if (page > 0) --page;
  for (; page < fences_.size() && fences_[page] <= key; ++page) {
    if (!read(file, page * kPageEntries, kPageEntries, page_)) return;
    for (const IndexEntry& entry : std::ranges::equal_range(page_, key, {}, &IndexEntry::key)) {
      places.push_back(entry.at);
    }
  }
}

}  // namespace stentor::daemon
