// One segment that a carrier accepted and whose receipt is awaited, and what stands for its id.
//
// Units    `sent_tick` counts kSentTick from this start, modulo 2^30 (49 days); what was sent
//          before has a negative one.
// Threads  Plain values.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

#include "queue/locator.h"

namespace stentor::daemon {

struct OutstandingSegment {
  queue::Locator at;                         ///< its message's accepted record
  std::uint32_t sent_tick : 30 = 0;          ///< when its submit_sm went; not later, where unsure
  std::uint32_t possible_duplicate : 1 = 0;  ///< it may have reached the carrier twice
  std::uint32_t is_told : 1 = 0;     ///< unknown, or silent until its time passed: may be corrected
  std::uint16_t expires_minute = 0;  ///< minutes since the index was made, modulo 2^16
  std::uint8_t part = 1;
  std::uint8_t parts = 1;
};
static_assert(sizeof(OutstandingSegment) == 16);

inline constexpr std::chrono::milliseconds kSentTick{4};
inline constexpr std::uint32_t kSentTickMask = 0x3fffffff;
/// What came without a segment is kept for so long: it may be older than the segment by no more.
inline constexpr std::chrono::hours kUnmatchedKept{72};

/// Whether tick `came` of a receipt lies before tick `sent` of a segment, both modulo 2^30.
[[nodiscard]] constexpr bool is_before_it_was_sent(std::uint32_t came,
                                                   std::uint32_t sent) noexcept {
  // A second more than is kept: what expires waits for its turn.
  return ((sent - came) & kSentTickMask) - 1u <
         static_cast<std::uint32_t>((kUnmatchedKept + std::chrono::seconds(1)) / kSentTick);
}

/// Whether minute `a` comes before `b`, both modulo 2^16: they are less than 22 days apart, since
/// no expiry is set further ahead than kExpiryAheadMax and what has expired goes within minutes.
[[nodiscard]] constexpr bool is_before(std::uint16_t a, std::uint16_t b) noexcept {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(a - b)) < 0;
}

/// The two days that are left of 22 are for a process that was stopped, or a clock that was set.
inline constexpr std::chrono::hours kExpiryAheadMax{20 * 24};

/// A keyed 128-bit hash of a carrier's id.
struct SegmentKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const SegmentKey&, const SegmentKey&) = default;
};

}  // namespace stentor::daemon
