// Durations counted into 1-2-5 steps from 10 us to 1 h; what is longer counts above them all.
//
// Units    Input is std::chrono::nanoseconds; bounds and sums are given out in seconds, as
//          Prometheus wants them. A bound belongs to its own bucket ("le").
// Owns     A fixed array of counters: 240 octets, no allocation ever.
// Threads  One thread writes and reads. Other threads get a copy made there.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace stentor::daemon {

class Histogram {
 public:
  static constexpr std::size_t kBounds = 27;

  void record(std::chrono::nanoseconds duration) noexcept {
    // A clock that stepped back under us is no negative wait.
    const auto ns = static_cast<std::uint64_t>(duration.count() < 0 ? 0 : duration.count());
    std::size_t bucket = kFirstBucket[static_cast<std::size_t>(std::bit_width(ns))];
    while (bucket < kBounds && ns > kBoundNs[bucket]) ++bucket;  // at most twice
    ++counts_[bucket];
    sum_seconds_ += static_cast<double>(ns) * 1e-9;
  }

  /// Adds another one's counts: shards keep their own.
  void add(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    sum_seconds_ += other.sum_seconds_;
  }

  [[nodiscard]] static double bound_seconds(std::size_t bucket) noexcept {
    // Divided, not multiplied: 1e-9 is not exact, and 5e-05 must not print
    // as 5.0000000000000002e-05.
    return static_cast<double>(kBoundNs[bucket]) / 1e9;
  }
  /// Not cumulative. `bucket` up to kBounds, which is the one above all bounds.
  [[nodiscard]] std::uint64_t count_in(std::size_t bucket) const noexcept {
    return counts_[bucket];
  }
  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t total = 0;
    for (const std::uint64_t each : counts_) total += each;
    return total;
  }
  [[nodiscard]] double sum_seconds() const noexcept { return sum_seconds_; }

 private:
  static constexpr std::array<std::uint64_t, kBounds> kBoundNs = [] {
    std::array<std::uint64_t, kBounds> bounds{};
    std::size_t next = 0;
    for (std::uint64_t decade = 10'000; decade < 1'000'000'000'000; decade *= 10) {
      for (const std::uint64_t step : {1U, 2U, 5U}) bounds[next++] = decade * step;
    }
    bounds[next++] = 1'000'000'000'000;
    bounds[next++] = 2'000'000'000'000;
    bounds[next++] = 3'600'000'000'000;
    return bounds;
  }();

  // By the number of bits: the first bucket a value of so many bits can belong to. Powers of two
  // double and the bounds nearly so, hence two steps more at most.
  static constexpr std::array<std::uint8_t, 65> kFirstBucket = [] {
    std::array<std::uint8_t, 65> first{};
    for (std::size_t bits = 1; bits <= 64; ++bits) {
      const std::uint64_t least = std::uint64_t{1} << (bits - 1);
      std::uint8_t bucket = 0;
      while (bucket < kBounds && kBoundNs[bucket] < least) ++bucket;
      first[bits] = bucket;
    }
    return first;
  }();

  std::array<std::uint64_t, kBounds + 1> counts_{};
  double sum_seconds_ = 0;
};

}  // namespace stentor::daemon
