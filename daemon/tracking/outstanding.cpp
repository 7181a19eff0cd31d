#include "daemon/tracking/outstanding.h"

#include <sodium/crypto_shorthash.h>

#include <algorithm>
#include <cstring>

namespace stentor::daemon {

static_assert(crypto_shorthash_siphashx24_KEYBYTES == std::tuple_size_v<Outstanding::Key>);

Outstanding::Fingerprint Outstanding::fingerprint(std::string_view id) const {
  std::array<std::uint8_t, crypto_shorthash_siphashx24_BYTES> hash{};
  crypto_shorthash_siphashx24(hash.data(), reinterpret_cast<const unsigned char*>(id.data()),
                              id.size(), secret_.data());
  Fingerprint result{};
  std::memcpy(&result.high, hash.data(), sizeof result.high);
  std::memcpy(&result.low, hash.data() + sizeof result.high, sizeof result.low);
  return result;
}

void Outstanding::spill_to(std::unique_ptr<SegmentSpill> spill, std::size_t in_memory_max) {
  spill_ = std::move(spill);
  in_memory_max_ = std::max(in_memory_max, kMaps);  // below that nothing would be saved
}

std::optional<OutstandingSegment> Outstanding::put(const Fingerprint& key,
                                                   OutstandingSegment segment) {
  if (maps_.empty()) maps_.resize(kMaps);
  const auto [entry, is_new] = maps_[map_of(key)].try_emplace(key, segment);
  if (!is_new) return std::exchange(entry->second, segment);
  ++in_memory_;
  if (!spill_) return std::nullopt;
  std::optional<OutstandingSegment> before;
  if (spill_->size() > 0) before = spill_->erase(map_of(key), key);  // this one goes before it now
  if (puts_until_spill_ > 0) {
    --puts_until_spill_;
  } else if (in_memory_ > in_memory_max_) {
    spill_one();
  }
  return before;
}

// One map goes, the next one at the next call: each pause is that of sorting and writing a
// thousandth of what is in memory.
void Outstanding::spill_one() {
  Map& map = maps_[spill_next_];
  spilling_.clear();
  for (const auto& [key, segment] : map) spilling_.push_back({key, segment});
  if (!spilling_.empty() && !spill_->write(spill_next_, spilling_)) {
    puts_until_spill_ = 100'000;  // a full disk has space again some seconds later, or never
    return;
  }
  in_memory_ -= map.size();
  Map().swap(map);
  spill_next_ = (spill_next_ + 1) % kMaps;
}

std::optional<OutstandingSegment> Outstanding::find(const Fingerprint& key) const {
  if (maps_.empty()) return std::nullopt;
  const Map& map = maps_[map_of(key)];
  const auto found = map.find(key);
  if (found != map.end()) return found->second;
  return on_disk() > 0 ? spill_->find(map_of(key), key) : std::nullopt;
}

void Outstanding::erase(const Fingerprint& key) {
  if (maps_.empty()) return;
  if (maps_[map_of(key)].erase(key) > 0) {
    --in_memory_;
  } else if (on_disk() > 0) {
    (void)spill_->erase(map_of(key), key);
  }
}

std::size_t Outstanding::take_expired(std::uint64_t now, std::size_t max, const Sink& sink) {
  const std::size_t swept = sweep_;
  if (now <= base_ || maps_.empty()) {
    sweep_ = (sweep_ + 1) % kMaps;
    return 0;
  }
  const auto minute = static_cast<std::uint16_t>((now - base_) / 60);
  expired_.clear();
  in_memory_ -= boost::unordered::erase_if(maps_[swept], [&](const auto& entry) {
    if (expired_.size() == max || !is_before(entry.second.expires_minute, minute)) return false;
    expired_.push_back({entry.first, entry.second});
    return true;
  });
  if (on_disk() > 0) spill_->take_expired(swept, minute, max, expired_);
  if (expired_.size() < max) sweep_ = (sweep_ + 1) % kMaps;
  const auto taken = std::exchange(expired_, {});  // the sink may put, and that may spill
  for (const auto& [key, segment] : taken) sink(key, segment);
  return taken.size();
}

void Outstanding::keep_only(const Keep& keep) {
  for (Map& map : maps_) {
    for (auto entry = map.begin(); entry != map.end();) {
      if (keep(entry->first, entry->second)) {
        ++entry;
      } else {
        map.erase(entry++);
        --in_memory_;
      }
    }
  }
  if (on_disk() > 0) spill_->keep_only(keep);
}

std::uint16_t Outstanding::minute_of(std::uint64_t expires, std::uint64_t now) const noexcept {
  constexpr std::uint64_t kAhead = std::chrono::seconds(kExpiryAheadMax).count();
  const std::uint64_t bounded = std::clamp(expires, now, now + kAhead);
  if (bounded <= base_) return 0;
  return static_cast<std::uint16_t>((bounded - base_) / 60 + 1);
}

}  // namespace stentor::daemon
