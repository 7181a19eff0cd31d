// Bounded hand-over of values from exactly one producer thread to exactly one consumer thread.
//
// Units    Capacity counts values; it is a power of two, fixed at construction.
// Owns     The values between push and pop; the destructor destroys what is left.
// Errors   Full and empty are answers, not errors.
// Threads  try_push on the producer thread only, try_pop on the consumer thread only.
//          Lock-free and wait-free; neither call allocates.
#pragma once

#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace stentor::queue {

// Two lines, since the prefetcher of common x86 cores pulls neighbours in pairs.
inline constexpr std::size_t kNoSharingOctets = 128;

template <class T>
class SpscRing {
 public:
  explicit SpscRing(std::size_t capacity)
      : mask_(capacity - 1), slots_(std::make_unique<Slot[]>(capacity)) {
    assert(std::has_single_bit(capacity) && "capacity is a power of two");
  }

  /// Returns false, and leaves `value` untouched, when the ring is full.
  [[nodiscard]] bool try_push(T&& value) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);  // only we write it
    if (tail - head_seen_ > mask_) {
      head_seen_ = head_.load(std::memory_order_acquire);  // pairs with release in try_pop
      if (tail - head_seen_ > mask_) return false;
    }
    slots_[tail & mask_].value.emplace(std::move(value));
    tail_.store(tail + 1, std::memory_order_release);  // pairs with acquire in try_pop
    return true;
  }

  /// Returns nothing when the ring is empty.
  [[nodiscard]] std::optional<T> try_pop() noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);  // only we write it
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);  // pairs with release in try_push
      if (head == tail_seen_) return std::nullopt;
    }
    std::optional<T> value(std::move(slots_[head & mask_].value));
    slots_[head & mask_].value.reset();
    head_.store(head + 1, std::memory_order_release);  // pairs with acquire in try_push
    return value;
  }

  /// A glance from any thread; exact only where both sides stand still.
  [[nodiscard]] std::size_t size_hint() const noexcept {
    const std::size_t head = head_.load(std::memory_order_acquire);  // read first: never negative
    return tail_.load(std::memory_order_acquire) - head;
  }

 private:
  struct Slot {
    std::optional<T> value;
  };

  const std::size_t mask_;
  const std::unique_ptr<Slot[]> slots_;
  // Each side writes one line and keeps its last sight of the other side's index there,
  // so an uncontended push or pop touches no line the other side writes.
  alignas(kNoSharingOctets) std::atomic<std::size_t> tail_{0};
  std::size_t head_seen_{0};
  alignas(kNoSharingOctets) std::atomic<std::size_t> head_{0};
  std::size_t tail_seen_{0};
};

}  // namespace stentor::queue
