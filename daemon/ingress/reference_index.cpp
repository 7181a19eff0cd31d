#include "daemon/ingress/reference_index.h"

#include <cassert>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace stentor::daemon {
namespace {

// A pending place in one word: the top bit, 41 bits of batch number, 22 bits of offset. A Locator
// never has the top bit before file 524,288 of 256 MiB.
constexpr std::uint64_t kPending = 1ull << 63;
constexpr unsigned kOffsetBits = 22;

}  // namespace

std::uint64_t ReferenceIndex::key_of(std::string_view client, std::string_view ref) const noexcept {
  const std::uint64_t client_hash = XXH3_64bits_withSeed(client.data(), client.size(), seed_);
  return XXH3_64bits_withSeed(ref.data(), ref.size(), client_hash);
}

std::optional<ReferencePlace> ReferenceIndex::find(std::uint64_t key) const {
  const Map& map = map_of(key);
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  if ((found->second & kPending) == 0) {
    return ReferencePlace{.durable = queue::Locator(found->second)};
  }
  return ReferencePlace{
      .durable = {},
      .batch = (found->second & ~kPending) >> kOffsetBits,
      .record_offset = static_cast<std::uint32_t>(found->second & ((1u << kOffsetBits) - 1))};
}

void ReferenceIndex::put_pending(std::uint64_t key, std::uint64_t batch,
                                 std::uint32_t record_offset) {
  assert(record_offset < 1u << kOffsetBits && "a batch is smaller than a block");
  put(key, kPending | batch << kOffsetBits | record_offset);
}

void ReferenceIndex::put_durable(std::uint64_t key, queue::Locator at) {
  assert((at.bits() & kPending) == 0 && "the journal has not used up half its file numbers");
  put(key, at.bits());
}

void ReferenceIndex::forget_before(queue::Locator oldest) {
  Map& map = maps_[sweep_];
  sweep_ = (sweep_ + 1) % kMaps;
  size_ -= boost::unordered::erase_if(map, [oldest](const auto& entry) {
    return (entry.second & kPending) == 0 && queue::Locator(entry.second) < oldest;
  });
}

void ReferenceIndex::put(std::uint64_t key, std::uint64_t place) {
  const auto [entry, is_new] = map_of(key).insert_or_assign(key, place);
  if (is_new) ++size_;
}

}  // namespace stentor::daemon
