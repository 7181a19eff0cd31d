// The newest so many values by a 64-bit key: the one that was put first goes first.
//
// In many small maps: one large one would stop the shard for tens of milliseconds when it grows.
//
// Units    Entries.
// Owns     Its entries: the value and 16 octets each, and what an open table leaves empty. Grown as
//          they come; nothing before the first one.
// Errors   None. A key that is put again counts twice against the bound.
// Threads  One thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace stentor::daemon {

template <class Value>
class NewestByKey {
 public:
  explicit NewestByKey(std::size_t entries_max) : entries_max_(entries_max) {}

  void put(std::uint64_t key, const Value& value) {
    if (maps_.empty()) maps_.resize(kMaps);
    if (order_.size() == entries_max_) {
      map_of(order_.front()).erase(order_.front());
      order_.pop_front();
    }
    order_.push_back(key);
    map_of(key).insert_or_assign(key, value);
  }
  [[nodiscard]] std::optional<Value> find(std::uint64_t key) const {
    if (maps_.empty()) return std::nullopt;
    const Map& map = maps_[number_of(key)];
    const auto found = map.find(key);
    if (found == map.end()) return std::nullopt;
    return found->second;
  }
  void erase(std::uint64_t key) {
    if (!maps_.empty()) map_of(key).erase(key);
  }

 private:
  // At a million entries each has 4,096: it grows in some 50 us.
  static constexpr unsigned kMapBits = 8;
  static constexpr std::size_t kMaps = std::size_t{1} << kMapBits;
  using Map = boost::unordered_flat_map<std::uint64_t, Value>;

  // Neighbouring keys lie apart (Knuth's multiplicative hash).
  [[nodiscard]] static std::size_t number_of(std::uint64_t key) noexcept {
    return (key * 0x9e3779b97f4a7c15ull) >> (64 - kMapBits);
  }
  [[nodiscard]] Map& map_of(std::uint64_t key) { return maps_[number_of(key)]; }

  std::size_t entries_max_;
  std::vector<Map> maps_;
  std::deque<std::uint64_t> order_;
};

}  // namespace stentor::daemon
