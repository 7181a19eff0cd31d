// A plain histogram for one thread's hot path: fixed buckets, no allocation, no lock.
//
// Buckets double: bucket i counts values up to 2^i of the base unit, so recording is a bit scan and
// the error at most a factor of two; that is what an operator's quantile needs, in 40 counters.
//
// Units    The caller's base unit: microseconds for times, octets or items for sizes.
// Owns     Its counters. Copy it to hand a consistent view to another thread.
// Threads  One thread records; readers take a copy made on that thread.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace stentor::daemon {

class Histogram {
 public:
  /// 2^36 microseconds are 19 hours: beyond any wait that is not better told by a gauge.
  static constexpr std::size_t kBuckets = 37;

  void record(std::uint64_t value, std::uint64_t times = 1) noexcept {
    const auto bucket = value <= 1 ? 0u : static_cast<unsigned>(std::bit_width(value - 1));
    counts_[bucket < kBuckets ? bucket : kBuckets - 1] += times;
    count_ += times;
    sum_ += value * times;
  }
  void record(std::chrono::nanoseconds time) noexcept {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    record(us > 0 ? static_cast<std::uint64_t>(us) : 0);
  }

  /// The upper bound of bucket `index`, inclusive.
  [[nodiscard]] static constexpr std::uint64_t bound(std::size_t index) noexcept {
    return std::uint64_t{1} << index;
  }
  [[nodiscard]] const std::array<std::uint64_t, kBuckets>& counts() const noexcept {
    return counts_;
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }

 private:
  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
};

}  // namespace stentor::daemon
