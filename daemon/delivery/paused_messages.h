// Messages that were paused one by one: whoever picks such a ticket puts it aside.
//
// Units    Messages, by the place of their accepted record.
// Owns     Eight octets and a share of a table for each that is paused and not final.
// Errors   Full is an ordinary "no".
// Threads  Any. While none is paused, asking costs one load; else a lock, held for a look-up.
// Spec     docs/protocol.md, "pause and resume"
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <mutex>

#include "queue/locator.h"

namespace stentor::daemon {

class PausedMessages {
 public:
  /// 2 MB of places, and 10 MB of tickets that were put aside. Who pauses more at once pauses a
  /// campaign, which costs nothing for each.
  static constexpr std::size_t kMessagesMax = 100'000;

  enum class Added : std::uint8_t { now, before, full };
  [[nodiscard]] Added pause(queue::Locator at) {
    const std::lock_guard lock(guard_);
    if (places_.contains(at.bits())) return Added::before;
    if (places_.size() >= kMessagesMax) return Added::full;
    places_.insert(at.bits());
    count_.store(places_.size(), std::memory_order_release);  // pairs with holds()
    return Added::now;
  }
  /// At a start, before there are threads: what was paused stays so, be they more than the bound.
  void restore(queue::Locator at) {
    places_.insert(at.bits());
    count_.store(places_.size(), std::memory_order_release);  // likewise
  }
  /// It goes on, or is final. Costs a load where none is paused.
  void lift(queue::Locator at) {
    // Of one that is being paused by another thread just now: who pauses it looks whether it ended.
    if (count_.load(std::memory_order_acquire) == 0) return;
    const std::lock_guard lock(guard_);
    places_.erase(at.bits());
    count_.store(places_.size(), std::memory_order_release);  // likewise
  }
  [[nodiscard]] bool holds(queue::Locator at) const {
    // Pairs with pause(): who was asked by its thread, through a posted function, sees what it did.
    if (count_.load(std::memory_order_acquire) == 0) return false;
    const std::lock_guard lock(guard_);
    return places_.contains(at.bits());
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return count_.load(std::memory_order_relaxed);  // a figure: orders nothing
  }

  /// One order about a message at a time: false while another is on its way to the disk.
  [[nodiscard]] bool begin_order(queue::Locator at) {
    const std::lock_guard lock(guard_);
    return ordered_.insert(at.bits()).second;
  }
  void end_order(queue::Locator at) {
    const std::lock_guard lock(guard_);
    ordered_.erase(at.bits());
  }

 private:
  std::atomic<std::size_t> count_{0};
  mutable std::mutex guard_;
  boost::unordered_flat_set<std::uint64_t> places_;
  boost::unordered_flat_set<std::uint64_t> ordered_;  // as many as connections
};

}  // namespace stentor::daemon
