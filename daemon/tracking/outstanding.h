// Segments that a carrier accepted and whose receipt is awaited: its message id → our message.
//
// A keyed 128-bit fingerprint stands for the carrier's id, since the carrier chooses the ids and
// could otherwise choose them to collide. Many small maps: one large map would stop the shard for
// hundreds of milliseconds when it grows. Beyond `in_memory_max` a map at a time goes to disk.
//
// Units    `expires` is seconds of Unix time, kept to the minute modulo 2^16: the index may have
//          any age, while no expiry is further ahead than kExpiryAheadMax (outstanding_segment.h).
// Owns     Its entries: 32 octets each, and what an open table leaves empty; 2 on disk.
// Errors   None. An id that is seen twice has its later meaning, since carriers reuse ids: put()
//          answers with the earlier one, and whoever put that one there decides what becomes of it.
// Threads  One thread.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/tracking/outstanding_segment.h"
#include "daemon/tracking/segment_spill.h"

namespace stentor::daemon {

class Outstanding {
 public:
  using Key = std::array<std::uint8_t, 16>;

  /// `now` is seconds of Unix time: expiry minutes count from it.
  Outstanding(Key secret, std::uint64_t now) : secret_(secret), base_(now) {}

  using Fingerprint = SegmentKey;
  /// Of an id in canonical spelling (protocol/message_id.h).
  [[nodiscard]] Fingerprint fingerprint(std::string_view id) const;

  /// From now on more than `in_memory_max` segments spill. Before the first put().
  void spill_to(std::unique_ptr<SegmentSpill> spill, std::size_t in_memory_max);

  /// Returns what the key meant before.
  std::optional<OutstandingSegment> put(const Fingerprint& key, OutstandingSegment segment);
  [[nodiscard]] std::optional<OutstandingSegment> find(const Fingerprint& key) const;
  void erase(const Fingerprint& key);

  std::optional<OutstandingSegment> put(std::string_view id, OutstandingSegment segment) {
    return put(fingerprint(id), segment);
  }
  [[nodiscard]] std::optional<OutstandingSegment> find(std::string_view id) const {
    return find(fingerprint(id));
  }
  void erase(std::string_view id) { erase(fingerprint(id)); }

  /// Takes out what expired before `now` from a part of the index, `max` segments at most, and
  /// returns how many. Where these are fewer the next call looks at the next part: kMaps such calls
  /// see all of it. `sink` may put what it is given back with a later expiry.
  using Sink = std::function<void(const Fingerprint&, OutstandingSegment)>;
  std::size_t take_expired(std::uint64_t now, std::size_t max, const Sink& sink);

  /// Goes through all segments: `keep` may change one, and answers false to have it erased.
  using Keep = std::function<bool(const Fingerprint&, OutstandingSegment&)>;
  void keep_only(const Keep& keep);

  /// Not before `now`, and at most kExpiryAheadMax after it.
  [[nodiscard]] std::uint16_t minute_of(std::uint64_t expires, std::uint64_t now) const noexcept;
  /// When it was made: what recovery takes for now.
  [[nodiscard]] std::uint64_t made_at() const noexcept { return base_; }
  [[nodiscard]] std::size_t size() const noexcept { return in_memory_ + on_disk(); }
  [[nodiscard]] std::size_t in_memory() const noexcept { return in_memory_; }
  [[nodiscard]] std::size_t on_disk() const noexcept { return spill_ ? spill_->size() : 0; }

  // At ten million segments each map has 2,500: it grows in a fraction of a millisecond, also on a
  // busy machine. A carrier that awaits anything pays 192 KiB for it.
  static constexpr std::size_t kMaps = 4096;

 private:
  struct Hash {
    using is_avalanching = void;  // a keyed hash already: nothing to stir
    std::size_t operator()(const Fingerprint& f) const noexcept { return f.low; }
  };
  using Map = boost::unordered_flat_map<Fingerprint, OutstandingSegment, Hash>;

  Key secret_;
  std::uint64_t base_;
  [[nodiscard]] std::size_t map_of(const Fingerprint& key) const noexcept {
    return key.high % kMaps;
  }
  void spill_one();

  std::vector<Map> maps_;  // none before the first put(): idle carriers cost nothing
  std::unique_ptr<SegmentSpill> spill_;
  std::size_t in_memory_max_ = 0;
  std::size_t spill_next_ = 0;
  std::size_t puts_until_spill_ = 0;  // after the disk refused one
  std::size_t in_memory_ = 0;
  std::size_t sweep_ = 0;
  std::vector<SegmentSpill::Entry> expired_;
  std::vector<SegmentSpill::Entry> spilling_;
};

}  // namespace stentor::daemon
