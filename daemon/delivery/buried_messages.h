// Messages that were cancelled one by one while their tickets wait somewhere: whoever comes upon
// such a ticket drops it.
//
// Units    Messages, by the place of their accepted record.
// Owns     Eight octets and a share of a table for each whose ticket has not turned up yet.
// Errors   Full is an ordinary "no".
// Threads  Any. While there is none, asking costs one load; else a lock, held for a look-up.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <mutex>

#include "queue/locator.h"

namespace stentor::daemon {

class BuriedMessages {
 public:
  /// 16 MB at most. Who cancels more at once cancels a campaign.
  static constexpr std::size_t kMessagesMax = 1'000'000;

  [[nodiscard]] bool bury(queue::Locator at) {
    const std::lock_guard lock(guard_);
    if (places_.size() >= kMessagesMax) return false;
    places_.insert(at.bits());
    count_.store(places_.size(), std::memory_order_release);  // pairs with holds()
    return true;
  }
  void unbury(queue::Locator at) {
    const std::lock_guard lock(guard_);
    places_.erase(at.bits());
    count_.store(places_.size(), std::memory_order_release);  // likewise
  }
  [[nodiscard]] bool holds(queue::Locator at) const {
    // Pairs with bury(): who was asked by its thread, through a posted function, sees what it did.
    if (count_.load(std::memory_order_acquire) == 0) return false;
    const std::lock_guard lock(guard_);
    return places_.contains(at.bits());
  }

 private:
  std::atomic<std::size_t> count_{0};
  mutable std::mutex guard_;
  boost::unordered_flat_set<std::uint64_t> places_;
};

}  // namespace stentor::daemon
