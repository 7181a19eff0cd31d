// Messages about which somebody has said something one by one, while their tickets wait somewhere:
// whoever comes upon such a ticket asks.
//
// Units    Messages, by the place of their accepted record.
// Owns     Eight octets and a share of a table for each.
// Errors   Full is an ordinary "no".
// Threads  Any. While there is none, asking costs one load; else a lock, held for a look-up.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <mutex>

#include "queue/locator.h"

namespace stentor::daemon {

class NotedMessages {
 public:
  enum class Added : std::uint8_t { now, before, full };

  /// At a start, before there are threads: what was noted stays so, be they more than the bound.
  void restore(queue::Locator at) {
    const std::lock_guard lock(guard_);
    places_.insert(at.bits());
    publish();
  }
  [[nodiscard]] bool holds(queue::Locator at) const {
    // Pairs with add(): who was asked by its thread, through a posted function, sees what it did.
    if (count_.load(std::memory_order_acquire) == 0) return false;
    const std::lock_guard lock(guard_);
    return places_.contains(at.bits());
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return count_.load(std::memory_order_relaxed);  // a figure: orders nothing
  }

 protected:
  explicit NotedMessages(std::size_t messages_max) : messages_max_(messages_max) {}
  ~NotedMessages() = default;

  [[nodiscard]] Added add(queue::Locator at) {
    const std::lock_guard lock(guard_);
    if (places_.contains(at.bits())) return Added::before;
    if (places_.size() >= messages_max_) return Added::full;
    places_.insert(at.bits());
    publish();
    return Added::now;
  }
  /// Costs a load where there is none.
  void remove(queue::Locator at) {
    // Of one that another thread is adding just now: who adds it looks whether it ended.
    if (count_.load(std::memory_order_acquire) == 0) return;
    const std::lock_guard lock(guard_);
    places_.erase(at.bits());
    publish();
  }

 private:
  void publish() noexcept {
    count_.store(places_.size(), std::memory_order_release);  // pairs with holds() and remove()
  }

  const std::size_t messages_max_;
  std::atomic<std::size_t> count_{0};
  mutable std::mutex guard_;
  boost::unordered_flat_set<std::uint64_t> places_;
};

}  // namespace stentor::daemon
