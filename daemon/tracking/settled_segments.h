// Segments whose final receipt has come, kept for a while: a second copy is then a duplicate and
// not a stranger, and a different final is a conflict that upstream is told of. And segments that
// were silent until their message was over: a late receipt is then a step of it.
//
// Units    Entries.
// Owns     Its entries, at most kEntriesMax: the oldest goes first.
// Errors   None.
// Threads  One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "daemon/records/records.h"
#include "daemon/tracking/newest_by_key.h"
#include "daemon/tracking/outstanding_segment.h"
#include "queue/locator.h"

namespace stentor::daemon {

struct SettledSegment {
  queue::Locator at;  ///< its message's accepted record
  std::uint8_t part = 1;
  State state = State::none;  ///< its own; of a silent one its message's, `none` where not known
  bool possible_duplicate : 1 = false;
  bool is_silent : 1 = false;  ///< no receipt of it has come
  std::uint8_t parts = 1;
  std::uint32_t sent_tick = 0;  ///< as in OutstandingSegment
};

static_assert(sizeof(SettledSegment) == 16);

class SettledSegments {
 public:
  /// Carriers repeat a receipt within seconds of the first, and after a link was lost within its
  /// time to bind again: at 10,000 receipts a second this is 100 seconds, at a thousand 17 minutes.
  /// 32 MiB when full.
  static constexpr std::size_t kEntriesMax = NewestByKey<SettledSegment>::kEntriesMax;
  static_assert(kEntriesMax == 1'048'576);

  /// The key is Outstanding::fingerprint() of the id.
  void put(const SegmentKey& key, SettledSegment segment) { entries_.put(key.low, segment); }
  [[nodiscard]] std::optional<SettledSegment> find(const SegmentKey& key) const {
    return entries_.find(key.low);
  }
  /// It will be asked about, or put, soon.
  void prefetch(const SegmentKey& key) const { entries_.prefetch(key.low); }
  /// The carrier gave the id anew: what it meant before is over.
  void erase(const SegmentKey& key) { entries_.erase(key.low); }

 private:
  // 64 bits of it suffice for what is only told apart from strangers: a chance meeting of two among
  // a million costs one receipt its event, once in 10^13 receipts.
  NewestByKey<SettledSegment> entries_;
};

}  // namespace stentor::daemon
