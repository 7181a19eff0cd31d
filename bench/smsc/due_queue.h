// Things that are to happen later, in the order in which they fall due.
//
// Where every delay is the same, things fall due in the order they come, and a ring is all it
// takes: a push and a pop each touch one slot. Only what is due before something already queued
// (jitter) goes into a heap beside the ring.
//
// Units    Sizes count values. Due times are steady_clock time points.
// Owns     The values. The ring grows by doubling and never shrinks.
// Errors   Empty is an answer. Throws nothing but std::bad_alloc.
// Threads  One thread.
#pragma once

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

namespace stentor::smsc {

using TimePoint = std::chrono::steady_clock::time_point;

/// A first-in first-out ring of plain values that grows when full.
template <class Value>
class GrowingRing {
 public:
  [[nodiscard]] bool empty() const noexcept { return head_ == tail_; }
  [[nodiscard]] std::size_t size() const noexcept { return tail_ - head_; }
  [[nodiscard]] Value& front() noexcept { return slots_[head_ & mask()]; }
  [[nodiscard]] const Value& front() const noexcept { return slots_[head_ & mask()]; }
  [[nodiscard]] const Value& back() const noexcept { return slots_[(tail_ - 1) & mask()]; }
  /// The value `index` places behind the front.
  [[nodiscard]] Value& operator[](std::size_t index) noexcept {
    assert(index < size() && "only what is in the ring is looked at");
    return slots_[(head_ + index) & mask()];
  }

  void push(const Value& value) {
    if (size() == slots_.size()) grow();
    slots_[tail_++ & mask()] = value;
  }
  void pop() noexcept {
    assert(!empty() && "pop of an empty ring");
    ++head_;
  }

 private:
  [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
  void grow() {
    std::vector<Value> larger(slots_.empty() ? kFirstSlots : slots_.size() * 2);
    const std::size_t count = size();
    for (std::size_t i = 0; i < count; ++i) larger[i] = slots_[(head_ + i) & mask()];
    slots_ = std::move(larger);
    head_ = 0;
    tail_ = count;
  }

  static constexpr std::size_t kFirstSlots = 64;  // a power of two; most connections need no more
  std::vector<Value> slots_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

/// `Value` has a public `TimePoint due`.
template <class Value>
class DueQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return ring_.empty() && heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return ring_.size() + heap_.size(); }

  void push(const Value& value) {
    if (ring_.empty() || !(value.due < ring_.back().due)) {
      ring_.push(value);
    } else {
      heap_.push_back(value);
      std::push_heap(heap_.begin(), heap_.end(), later);
    }
  }
  /// The earliest; equal times leave in the order they came, jitter aside.
  [[nodiscard]] const Value& front() const noexcept {
    return heap_first() ? heap_.front() : ring_.front();
  }
  void pop() noexcept {
    if (!heap_first()) return ring_.pop();
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
  }

 private:
  [[nodiscard]] bool heap_first() const noexcept {
    return !heap_.empty() && (ring_.empty() || heap_.front().due < ring_.front().due);
  }
  static bool later(const Value& a, const Value& b) noexcept { return b.due < a.due; }

  GrowingRing<Value> ring_;
  std::vector<Value> heap_;
};

}  // namespace stentor::smsc
