// Sixteen octets at once: the tests that text scanning and transcoding are made of.
//
// GCC's and clang's vector type rather than intrinsics: the same lines become SSE2, AVX or NEON.
//
// Threads  Pure functions.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace stentor::encoding {

inline constexpr std::size_t kBlockOctets = 16;

using OctetBlock [[gnu::vector_size(kBlockOctets)]] = std::uint8_t;
using BlockMask [[gnu::vector_size(kBlockOctets)]] = signed char;  // all ones where true

/// `octets` has at least kBlockOctets to read.
[[nodiscard]] inline OctetBlock load_block(const char* octets) noexcept {
  OctetBlock block;
  std::memcpy(&block, octets, sizeof block);
  return block;
}

[[nodiscard]] inline bool any(BlockMask mask) noexcept {
  std::array<std::uint64_t, 2> halves;
  std::memcpy(&halves, &mask, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

/// How many are true.
[[nodiscard]] inline std::size_t count(BlockMask mask) noexcept {
  std::array<std::uint64_t, 2> halves;
  std::memcpy(&halves, &mask, sizeof halves);
  // One bit an octet, both halves side by side, summed by a multiplication.
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  return ((halves[0] & kOnes) + (halves[1] & kOnes)) * kOnes >> 56;
}

/// The last `octets` of a block, of 1 to kBlockOctets.
[[nodiscard]] inline BlockMask last_of_block(std::size_t octets) noexcept {
  constexpr OctetBlock kLanes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return kLanes >= static_cast<std::uint8_t>(kBlockOctets - octets);
}

/// Each octet's successor; a zero after the last.
[[nodiscard]] inline OctetBlock successors(OctetBlock block) noexcept {
  return __builtin_shufflevector(block, OctetBlock{}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                                 15, 16);
}

/// GSM 7 bit characters of one septet whose code is their ASCII code or stands in fix_gsm_block.
[[nodiscard]] inline BlockMask is_gsm_basic(OctetBlock block) noexcept {
  const BlockMask printable = (block >= 0x20) & (block <= 0x7a) & (block != '`');
  const BlockMask bracket = (block >= '[') & (block <= '^');
  return (printable & ~bracket) | (block == '\n') | (block == '\r');
}

/// The characters of ASCII in the default extension table: ^ { } \ [ ~ ] | and form feed.
[[nodiscard]] inline BlockMask is_gsm_extended(OctetBlock block) noexcept {
  return ((block >= '[') & (block <= '^')) | ((block >= '{') & (block <= '~')) | (block == '\f');
}

/// ASCII to septets, for a block where all of it is_gsm_basic.
[[nodiscard]] inline OctetBlock gsm_of_basic(OctetBlock block) noexcept {
  const OctetBlock at = static_cast<OctetBlock>(block == '@');
  const OctetBlock dollar = static_cast<OctetBlock>(block == '$');
  const OctetBlock low_line = static_cast<OctetBlock>(block == '_');
  return (block & ~(at | dollar | low_line)) | (dollar & 0x02) | (low_line & 0x11);
}

}  // namespace stentor::encoding
