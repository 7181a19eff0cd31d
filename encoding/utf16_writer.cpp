#include "encoding/utf16_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "encoding/octet_block.h"
#include "encoding/utf8.h"

#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

namespace stentor::encoding {

namespace {

std::uint8_t* put_unit(std::uint8_t* out, char32_t unit) noexcept {
  *out++ = static_cast<std::uint8_t>(unit >> 8);
  *out++ = static_cast<std::uint8_t>(unit & 0xff);
  return out;
}

std::uint8_t* put_code_point(std::uint8_t* out, char32_t code_point) noexcept {
  if (code_point <= 0xffff) return put_unit(out, code_point);
  out = put_unit(out, 0xd7c0 + (code_point >> 10));
  return put_unit(out, 0xdc00 + (code_point & 0x3ff));
}

// One by one over a block's length, or to the end.
struct Progress {
  std::size_t at = 0;
  std::uint8_t* out = nullptr;
};

Progress put_singly(std::string_view text, Progress from) noexcept {
  const std::size_t end = std::min(text.size(), from.at + kBlockOctets);
  while (from.at < end) {
    const CodePoint next = code_point_at(text, from.at);
    from.out = put_code_point(from.out, next.value);
    from.at += next.octets;
  }
  return from;
}

#if defined(__x86_64__)

// A block of characters below U+0800 with each octet taken for the first of one: its unit as two
// octets. What that gives of second octets is left out by what follows.
struct Units {
  OctetBlock first_half;   // of octets 0 to 7
  OctetBlock second_half;  // of octets 8 to 15
};

[[gnu::always_inline]] inline Units units_of(OctetBlock block, OctetBlock after) noexcept {
  const OctetBlock is_two = static_cast<OctetBlock>(block >= 0x80);
  const OctetBlock high = (block >> 2) & 0x07 & is_two;
  const OctetBlock low = (((block << 6) | (after & 0x3f)) & is_two) | (block & ~is_two);
  return {
      __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
      __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                              31)};
}

// By which of eight octets are the first of a character: how to move their units together.
consteval std::array<std::array<std::uint8_t, 16>, 256> make_gatherings() {
  std::array<std::array<std::uint8_t, 16>, 256> gatherings{};
  for (unsigned firsts = 0; firsts < 256; ++firsts) {
    auto& gathering = gatherings[firsts];
    gathering.fill(0x80);  // gives a zero
    std::size_t to = 0;
    for (unsigned from = 0; from < 8; ++from) {
      if ((firsts >> from & 1u) == 0) continue;
      gathering[to++] = static_cast<std::uint8_t>(2 * from);
      gathering[to++] = static_cast<std::uint8_t>(2 * from + 1);
    }
  }
  return gatherings;
}

alignas(16) constexpr auto kGatherings = make_gatherings();

// SSSE3 moves octets by a table, which this build cannot take for granted; unit by unit, even
// without branches, took three times as long (docs/encoding.md).
[[gnu::target("ssse3,popcnt")]] std::uint8_t* put_gathered(std::uint8_t* out, OctetBlock units,
                                                           unsigned firsts) noexcept {
  OctetBlock gathering;
  std::memcpy(&gathering, kGatherings[firsts].data(), sizeof gathering);
  const auto gathered = reinterpret_cast<OctetBlock>(
      _mm_shuffle_epi8(reinterpret_cast<__m128i>(units), reinterpret_cast<__m128i>(gathering)));
  std::memcpy(out, &gathered, sizeof gathered);
  return out + std::ptrdiff_t{2} * std::popcount(firsts);
}

[[gnu::target("ssse3,popcnt")]] std::size_t write_gathering(std::string_view text,
                                                            std::uint8_t* out) noexcept {
  Progress here{0, out};
  while (here.at < text.size()) {
    // The last block overlaps what is written already; `skipped` octets of it are.
    while (here.at < text.size() && text.size() > kBlockOctets) {
      const std::size_t left = text.size() - here.at;
      const std::size_t skipped = left < kBlockOctets ? kBlockOctets - left : 0;
      const OctetBlock block = load_block(text.data() + here.at - skipped);
      const OctetBlock after =
          left > kBlockOctets ? load_block(text.data() + here.at + 1) : successors(block);
      const auto wide = reinterpret_cast<__m128i>(block >= 0xe0);
      const auto seconds = reinterpret_cast<__m128i>((block >= 0x80) & (block < 0xc0));
      const unsigned fresh = 0xffffu << skipped & 0xffffu;
      if ((static_cast<unsigned>(_mm_movemask_epi8(wide)) & fresh) != 0) break;
      const unsigned firsts = ~static_cast<unsigned>(_mm_movemask_epi8(seconds)) & fresh;
      const Units units = units_of(block, after);
      here.out = put_gathered(here.out, units.first_half, firsts & 0xffu);
      here.out = put_gathered(here.out, units.second_half, firsts >> 8);
      here.at += kBlockOctets - skipped;
      if (here.at < text.size() && is_continuation(text[here.at])) ++here.at;
    }
    here = put_singly(text, here);
  }
  return static_cast<std::size_t>(here.out - out);
}

#endif

}  // namespace

std::size_t write_utf16_portably(std::string_view text, std::uint8_t* out) noexcept {
  Progress here{0, out};
  while (here.at < text.size()) here = put_singly(text, here);
  return static_cast<std::size_t>(here.out - out);
}

std::size_t write_utf16(std::string_view text, std::uint8_t* out) noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("ssse3") != 0 && __builtin_cpu_supports("popcnt") != 0) {
    return write_gathering(text, out);
  }
#endif
  return write_utf16_portably(text, out);
}

}  // namespace stentor::encoding
