// The carrier alphabets in which a character is one octet, its own code point.
//
// Threads  Pure functions.
// Spec     SMPP 3.4 section 5.2.19 (data_coding 1 and 3); ISO/IEC 8859-1; IA5 as ASCII.
#pragma once

#include "encoding/segmenter.h"

namespace stentor::encoding {

inline constexpr bool is_ascii(char32_t code_point) noexcept {
  return code_point != 0 && code_point < 0x80;
}

/// Without U+0080 to U+009F: what handsets show for those octets is windows-1252 as often as not.
inline constexpr bool is_latin1(char32_t code_point) noexcept {
  return is_ascii(code_point) || (code_point >= 0xa0 && code_point < 0x100);
}

}  // namespace stentor::encoding
