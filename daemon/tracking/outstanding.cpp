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

void Outstanding::put(std::string_view id, OutstandingSegment segment) {
  const Fingerprint key = fingerprint(id);
  const auto [entry, is_new] = maps_[key.high % kMaps].insert_or_assign(key, segment);
  if (is_new) ++size_;
}

const OutstandingSegment* Outstanding::find(std::string_view id) const {
  const Fingerprint key = fingerprint(id);
  const Map& map = maps_[key.high % kMaps];
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

void Outstanding::erase(std::string_view id) {
  const Fingerprint key = fingerprint(id);
  size_ -= maps_[key.high % kMaps].erase(key);
}

void Outstanding::take_expired(std::uint64_t now,
                               const std::function<void(const OutstandingSegment&)>& sink) {
  Map& map = maps_[sweep_];
  sweep_ = (sweep_ + 1) % kMaps;
  if (now <= base_) return;
  const std::uint64_t minute = (now - base_) / 60;
  expired_.clear();
  boost::unordered::erase_if(map, [&](const auto& entry) {
    if (entry.second.expires_minute >= minute) return false;
    expired_.push_back(entry.second);
    return true;
  });
  size_ -= expired_.size();
  for (const OutstandingSegment& segment : expired_) sink(segment);
}

void Outstanding::keep_only(const std::function<bool(queue::Locator)>& is_live) {
  for (Map& map : maps_) {
    size_ -= boost::unordered::erase_if(
        map, [&](const auto& entry) { return !is_live(entry.second.at); });
  }
}

std::uint16_t Outstanding::minute_of(std::uint64_t expires) const noexcept {
  if (expires <= base_) return 0;
  return static_cast<std::uint16_t>(std::min<std::uint64_t>((expires - base_) / 60 + 1, 0xffff));
}

}  // namespace stentor::daemon
