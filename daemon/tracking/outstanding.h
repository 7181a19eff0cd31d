// Segments that a carrier accepted and whose receipt is awaited: its message id → our message.
//
// A keyed 128-bit fingerprint stands for the carrier's id, since the carrier chooses the ids and
// could otherwise choose them to collide. 256 small maps: one large map would stop the shard for
// hundreds of milliseconds when it grows.
//
// Units    `sent_ms` counts milliseconds of the steady clock since start, modulo 2^32 (49 days);
//          `expires` is seconds of Unix time, kept to the minute.
// Owns     Its entries: 32 octets each, and what an open table leaves empty.
// Errors   None. An id that is seen twice replaces its first meaning: carriers reuse ids.
// Threads  One thread.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "queue/locator.h"

namespace stentor::daemon {

struct OutstandingSegment {
  queue::Locator at;  ///< its message's accepted record
  std::uint32_t sent_ms = 0;
  std::uint16_t expires_minute = 0;  ///< minutes since the index was made, at most 45 days
  std::uint8_t part = 1;
  std::uint8_t parts = 1;
};
static_assert(sizeof(OutstandingSegment) == 16);

class Outstanding {
 public:
  using Key = std::array<std::uint8_t, 16>;

  /// `now` is seconds of Unix time: expiry minutes count from it.
  Outstanding(Key secret, std::uint64_t now) : secret_(secret), base_(now) {}

  /// `id` in canonical spelling (protocol/message_id.h).
  void put(std::string_view id, OutstandingSegment segment);
  [[nodiscard]] const OutstandingSegment* find(std::string_view id) const;
  void erase(std::string_view id);

  /// Takes out what expired before `now` from a part of the index, a different one at each call:
  /// kMaps calls see all of it.
  void take_expired(std::uint64_t now, const std::function<void(const OutstandingSegment&)>& sink);

  /// Erases the segments of messages that `is_live` does not know.
  void keep_only(const std::function<bool(queue::Locator)>& is_live);

  [[nodiscard]] std::uint16_t minute_of(std::uint64_t expires) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  static constexpr std::size_t kMaps = 256;

 private:
  struct Fingerprint {
    std::uint64_t high;
    std::uint64_t low;
    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
  };
  struct Hash {
    using is_avalanching = void;  // a keyed hash already: nothing to stir
    std::size_t operator()(const Fingerprint& f) const noexcept { return f.low; }
  };
  using Map = boost::unordered_flat_map<Fingerprint, OutstandingSegment, Hash>;

  [[nodiscard]] Fingerprint fingerprint(std::string_view id) const;

  Key secret_;
  std::uint64_t base_;
  std::array<Map, kMaps> maps_;
  std::size_t size_ = 0;
  std::size_t sweep_ = 0;
  std::vector<OutstandingSegment> expired_;
};

}  // namespace stentor::daemon
