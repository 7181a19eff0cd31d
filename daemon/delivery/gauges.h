// Figures that shards publish: ingress reads them to know when to hold back, histories to say what
// a message waits for.
//
// Units    Messages and segments.
// Threads  Each shard adds its changes; anyone reads. Lone figures: nothing is ordered by them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace stentor::daemon {

/// What holds each carrier back just now, as the word's number.
class CarrierLimiters {
 public:
  CarrierLimiters() = default;
  explicit CarrierLimiters(std::size_t carriers)
      : carriers_(carriers), now_(std::make_unique<std::atomic<std::uint8_t>[]>(carriers)) {}

  void set(std::size_t carrier, std::uint8_t limiter) noexcept {
    if (carrier < carriers_) now_[carrier].store(limiter, std::memory_order_relaxed);  // alone
  }
  [[nodiscard]] std::uint8_t at(std::size_t carrier) const noexcept {
    return carrier < carriers_ ? now_[carrier].load(std::memory_order_relaxed) : 0;  // alone
  }

 private:
  std::size_t carriers_ = 0;
  std::unique_ptr<std::atomic<std::uint8_t>[]> now_;
};

struct Gauges {
  std::atomic<std::uint64_t> waiting{0};              ///< tickets in lanes and timers
  std::atomic<std::uint64_t> spilled{0};              ///< of these, tickets on disk: no memory
  std::atomic<std::uint64_t> outstanding{0};          ///< segments whose receipt is awaited
  std::atomic<std::uint64_t> outstanding_on_disk{0};  ///< of those
  CarrierLimiters limiters;                           ///< sized before shards start
};

// What one of each costs in memory, for the bound of [queue] memory. Tickets are 16 octets and a
// share of their chunk; an outstanding segment 32 octets in a map that is 7/16 to 7/8 full.
inline constexpr std::uint64_t kOctetsPerWaiting = 17;
inline constexpr std::uint64_t kOctetsPerOutstanding = 70;
inline constexpr std::uint64_t kOctetsPerOutstandingOnDisk = 2;
// Of the bound, half at most is for outstanding segments; beyond that they wait on disk.
inline constexpr std::uint64_t kOutstandingShare = 2;

// What one of each will still cost on disk before it is final (design.md, "The journal").
inline constexpr std::uint64_t kDiskPerWaiting = 400;
inline constexpr std::uint64_t kDiskPerOutstanding = 250;

}  // namespace stentor::daemon
