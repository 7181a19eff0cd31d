// Remembers every client's references for the guard time: the memory of "I sent that already".
//
// Keeps eight octets of a keyed hash and eight of a place for each; what the reference really was,
// and what it asked for, is checked on the record at that place.
//
// Units    Entries.
// Owns     Its entries, in kMaps maps, so that growth moves one small map at a time.
// Errors   None. Two references with equal 64-bit hashes are told apart by the record; the later
//          one takes the place, which can happen by chance once in some ten billion messages.
// Threads  One thread.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "queue/locator.h"

namespace stentor::daemon {

/// A record that is durable, or one in a batch that is not yet.
struct ReferencePlace {
  queue::Locator durable;  ///< nowhere: still in a batch
  std::uint64_t batch = 0;
  std::uint32_t record_offset = 0;
};

class ReferenceIndex {
 public:
  explicit ReferenceIndex(std::uint64_t seed) : seed_(seed) {}

  [[nodiscard]] std::uint64_t key_of(std::string_view client, std::string_view ref) const noexcept;
  [[nodiscard]] std::optional<ReferencePlace> find(std::uint64_t key) const;
  void put_pending(std::uint64_t key, std::uint64_t batch, std::uint32_t record_offset);
  void put_durable(std::uint64_t key, queue::Locator at);
  /// Forgets an entry of a batch that failed.
  void drop(std::uint64_t key) { size_ -= map_of(key).erase(key); }

  /// Forgets entries before `oldest` in one of the maps, a different one at each call.
  void forget_before(queue::Locator oldest);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  static constexpr std::size_t kOctetsPerEntry = 34;  // 17 an entry and slot, at worst half empty

 private:
  static constexpr std::size_t kMaps = 256;
  using Map = boost::unordered_flat_map<std::uint64_t, std::uint64_t>;
  void put(std::uint64_t key, std::uint64_t place);
  [[nodiscard]] Map& map_of(std::uint64_t key) { return maps_[key >> 56]; }
  [[nodiscard]] const Map& map_of(std::uint64_t key) const { return maps_[key >> 56]; }

  std::uint64_t seed_;
  std::array<Map, kMaps> maps_;
  std::size_t size_ = 0;
  std::size_t sweep_ = 0;
};

}  // namespace stentor::daemon
