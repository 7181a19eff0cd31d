// Why a text cannot be sent, and where it goes wrong.
//
// Errors   One type, with the offset in octets of UTF-8.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace stentor::encoding {

enum class EncodingFault : std::uint8_t {
  invalid_utf8 = 1,     ///< not UTF-8 at `offset` (overlong, surrogate, out of range, cut short)
  empty_text,           ///< nothing to send
  forbidden_character,  ///< U+0000: no handset shows it and many carriers cut there
  not_encodable,        ///< a character the only allowed alphabet does not have
  too_many_segments     ///< more than the caller allows
};

/// A lower-case phrase that follows a colon.
[[nodiscard]] std::string_view describe(EncodingFault fault) noexcept;

struct EncodingError {
  EncodingFault fault{};
  std::uint32_t offset = 0;    ///< octets from the start of the text
  std::uint32_t segments = 0;  ///< for too_many_segments: how many it would take
};

template <class T>
using result = std::expected<T, EncodingError>;

}  // namespace stentor::encoding
