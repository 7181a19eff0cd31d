// Segments whose final receipt has come, kept for a while: a second copy is then a duplicate and
// not a stranger, and a different final is a conflict that upstream is told of.
//
// Units    Entries.
// Owns     Its entries, at most kEntriesMax: the oldest goes first.
// Errors   None.
// Threads  One thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/records/records.h"
#include "queue/locator.h"

namespace stentor::daemon {

struct SettledSegment {
  queue::Locator at;  ///< its message's accepted record
  std::uint8_t part = 1;
  State state = State::none;
  bool possible_duplicate = false;
  std::uint32_t sent_tick = 0;  ///< as in OutstandingSegment
};

static_assert(sizeof(SettledSegment) == 16);

class SettledSegments {
 public:
  /// Carriers repeat a receipt within seconds of the first: at 10,000 receipts a second this is
  /// six seconds, at a hundred ten minutes. 2.5 MiB when full.
  static constexpr std::size_t kEntriesMax = 65'536;

  /// `id` in canonical spelling.
  void put(std::string_view id, SettledSegment segment);
  [[nodiscard]] std::optional<SettledSegment> find(std::string_view id) const;
  /// The carrier gave the id anew: what it meant before is over.
  void erase(std::string_view id) { entries_.erase(hash(id)); }

 private:
  // 64 bits suffice for what is only told apart from strangers: a chance meeting of two among
  // 65,536 costs one receipt its event, once in 10^14 receipts.
  [[nodiscard]] static std::uint64_t hash(std::string_view id) {
    return std::hash<std::string_view>{}(id);
  }
  boost::unordered_flat_map<std::uint64_t, SettledSegment> entries_;
  std::vector<std::uint64_t> order_;  // a ring of kEntriesMax once full
  std::size_t oldest_ = 0;
};

}  // namespace stentor::daemon
