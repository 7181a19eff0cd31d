// How many further copies of a segment's receipts have been written: a carrier may repeat one for
// ever, and must not fill the journal with it.
//
// Units    Receipts of one segment.
// Owns     The counts of at most kSegmentsMax segments: the oldest goes first, and would be counted
//          anew.
// Errors   None.
// Threads  One thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "queue/locator.h"

namespace stentor::daemon {

class FurtherCopies {
 public:
  /// Three are met in the field. Who looks at a history sees by eight that a carrier repeats
  /// itself.
  static constexpr std::uint8_t kWrittenMax = 8;
  /// Carriers repeat a receipt within seconds of the first: at 1,000 a second, all of them twice,
  /// this is 16 seconds. A MiB when full.
  static constexpr std::size_t kSegmentsMax = 16'384;

  /// Counts one more; false where as many have been written.
  [[nodiscard]] bool count(queue::Locator message, std::uint8_t part) {
    const Segment segment(message.bits(), part);
    if (const auto known = counts_.find(segment); known != counts_.end()) {
      if (known->second == kWrittenMax) return false;
      ++known->second;
      return true;
    }
    if (order_.size() == kSegmentsMax) {
      counts_.erase(order_.front());
      order_.pop_front();
    }
    order_.push_back(segment);
    counts_.emplace(segment, std::uint8_t{1});
    return true;
  }

 private:
  using Segment = std::pair<std::uint64_t, std::uint8_t>;  // its message's place, and which part
  boost::unordered_flat_map<Segment, std::uint8_t> counts_;
  std::deque<Segment> order_;
};

}  // namespace stentor::daemon
