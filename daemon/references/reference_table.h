// References in memory: a hash of each, and the place of its message's record.
//
// Units    Entries.
// Owns     Its entries, in kMaps maps, so that growth moves one small map at a time.
// Errors   None.
// Threads  One thread while it changes, any afterwards.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/references/reference_run.h"
#include "queue/locator.h"

namespace stentor::daemon {

class ReferenceTable {
 public:
  [[nodiscard]] std::optional<queue::Locator> find(std::uint64_t key) const;
  void put(std::uint64_t key, queue::Locator at);
  /// Forgets entries before `oldest` in one of the maps, a different one at each call.
  void forget_before(queue::Locator oldest);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Sorted by key.
  [[nodiscard]] std::vector<ReferenceEntry> entries() const;

  static constexpr std::size_t kOctetsPerEntry = 34;  // 17 an entry and slot, at worst half empty

 private:
  static constexpr std::size_t kMaps = 256;
  using Map = boost::unordered_flat_map<std::uint64_t, std::uint64_t>;

  std::array<Map, kMaps> maps_;
  std::size_t size_ = 0;
  std::size_t sweep_ = 0;
};

}  // namespace stentor::daemon
