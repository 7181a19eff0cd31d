// Bounded hand-over of values from exactly one producer thread to exactly one consumer thread.
//
// Units    Capacity counts values; it is a power of two, fixed at construction.
// Owns     The values between push and pop; the destructor destroys what is left.
// Errors   Full and empty are answers, not errors.
// Threads  try_push and try_push_some on the producer thread only, try_pop and try_pop_some on the
//          consumer thread only. Lock-free and wait-free; no call allocates.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace stentor::queue {

// Two lines, since the prefetcher of common x86 cores pulls neighbours in pairs.
inline constexpr std::size_t kNoSharingOctets = 128;

template <class T>
class SpscRing {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>,
                "a value half moved would be in neither place");

 public:
  explicit SpscRing(std::size_t capacity)
      : mask_(capacity - 1), slots_(std::make_unique_for_overwrite<Slot[]>(capacity)) {
    assert(std::has_single_bit(capacity) && "capacity is a power of two");
  }
  ~SpscRing() {
    while (try_pop()) {
    }
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  /// Returns false, and leaves `value` untouched, when the ring is full.
  [[nodiscard]] bool try_push(T&& value) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);  // only we write it
    if (room(tail, 1) == 0) return false;
    std::construct_at(memory(tail), std::move(value));
    tail_.store(tail + 1, std::memory_order_release);  // pairs with acquire in filled()
    return true;
  }

  /// Moves as many of `values` into the ring as there is room for, from the first on; returns how
  /// many. The other thread is told once for all of them.
  [[nodiscard]] std::size_t try_push_some(std::span<T> values) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);  // only we write it
    const std::size_t count = std::min(room(tail, values.size()), values.size());
    for (std::size_t i = 0; i < count; ++i) {
      std::construct_at(memory(tail + i), std::move(values[i]));
    }
    if (count > 0) tail_.store(tail + count, std::memory_order_release);  // acquire in filled()
    return count;
  }

  /// Returns nothing when the ring is empty.
  [[nodiscard]] std::optional<T> try_pop() noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);  // only we write it
    if (filled(head, 1) == 0) return std::nullopt;
    T* const slot = place(head);
    std::optional<T> value(std::move(*slot));
    std::destroy_at(slot);
    head_.store(head + 1, std::memory_order_release);  // pairs with acquire in room()
    return value;
  }

  /// Moves values out of the ring into the first places of `values`; returns how many.
  [[nodiscard]] std::size_t try_pop_some(std::span<T> values) noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);  // only we write it
    const std::size_t count = std::min(filled(head, values.size()), values.size());
    for (std::size_t i = 0; i < count; ++i) {
      T* const slot = place(head + i);
      values[i] = std::move(*slot);
      std::destroy_at(slot);
    }
    if (count > 0) head_.store(head + count, std::memory_order_release);  // acquire in room()
    return count;
  }

  /// A glance from any thread; exact only where both sides stand still.
  [[nodiscard]] std::size_t size_hint() const noexcept {
    const std::size_t head = head_.load(std::memory_order_acquire);  // read first: never negative
    return tail_.load(std::memory_order_acquire) - head;
  }

 private:
  struct Slot {
    alignas(T) std::byte octets[sizeof(T)];  // NOLINT(bugprone-sizeof-expression): of a T
  };

  [[nodiscard]] T* memory(std::size_t index) const noexcept {
    return reinterpret_cast<T*>(slots_[index & mask_].octets);
  }
  [[nodiscard]] T* place(std::size_t index) const noexcept { return std::launder(memory(index)); }
  // Each side looks at the other's index only when its last sight of it does not suffice.
  [[nodiscard]] std::size_t room(std::size_t tail, std::size_t wanted) noexcept {
    if (mask_ + 1 - (tail - head_seen_) < wanted) {
      head_seen_ = head_.load(std::memory_order_acquire);  // pairs with release in try_pop(_some)
    }
    return mask_ + 1 - (tail - head_seen_);
  }
  [[nodiscard]] std::size_t filled(std::size_t head, std::size_t wanted) noexcept {
    if (tail_seen_ - head < wanted) {
      tail_seen_ = tail_.load(std::memory_order_acquire);  // pairs with release in try_push(_some)
    }
    return tail_seen_ - head;
  }

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
