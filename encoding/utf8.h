// UTF-8, one code point at a time.
//
// Units    Octets of UTF-8.
// Threads  Pure functions.
// Spec     RFC 3629 section 4 (what is well formed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stentor::encoding {

struct CodePoint {
  char32_t value = 0;
  std::uint8_t octets = 0;  ///< 0: what stands here is not UTF-8
};

/// The code point at `at`, which is inside `text`; whatever the octets are.
[[nodiscard]] CodePoint checked_code_point(std::string_view text, std::size_t at) noexcept;

inline constexpr bool is_continuation(char octet) noexcept {
  return (static_cast<std::uint8_t>(octet) & 0xc0u) == 0x80u;
}

/// The code point at `at`, the first octet of one, in valid UTF-8.
[[nodiscard]] inline CodePoint code_point_at(std::string_view text, std::size_t at) noexcept {
  const auto octet = [&](std::size_t ahead) {
    return static_cast<char32_t>(static_cast<std::uint8_t>(text[at + ahead]));
  };
  const char32_t lead = octet(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xe0) return {(lead & 0x1fu) << 6 | (octet(1) & 0x3fu), 2};
  if (lead < 0xf0) {
    return {(lead & 0x0fu) << 12 | (octet(1) & 0x3fu) << 6 | (octet(2) & 0x3fu), 3};
  }
  return {(lead & 0x07u) << 18 | (octet(1) & 0x3fu) << 12 | (octet(2) & 0x3fu) << 6 |
              (octet(3) & 0x3fu),
          4};
}

/// Where the code point before `at` begins; `at` is past the first one of valid UTF-8.
[[nodiscard]] inline std::size_t code_point_before(std::string_view text, std::size_t at) noexcept {
  do {
    --at;
  } while (is_continuation(text[at]));
  return at;
}

void append_utf8(std::string& text, char32_t code_point);

}  // namespace stentor::encoding
