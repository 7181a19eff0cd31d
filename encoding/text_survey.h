// Reads a text once, before anything is decided: is it UTF-8, how long is it, does it compose.
//
// Units    Octets of UTF-8, code points, UTF-16 code units.
// Errors   invalid_utf8, empty_text or forbidden_character, whichever stands first in the text.
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <string_view>

#include "encoding/error.h"

namespace stentor::encoding {

struct TextSurvey {
  std::size_t code_points = 0;
  std::size_t utf16_units = 0;
  bool may_compose = false;  ///< false: the text is certainly in NFC
};

[[nodiscard]] result<TextSurvey> survey(std::string_view text) noexcept;

/// The stretch at the start of a text that is ASCII and of the default GSM alphabet.
struct GsmAsciiRun {
  std::size_t octets = 0;
  std::size_t extended = 0;  ///< how many of them cost two septets
};
[[nodiscard]] GsmAsciiRun gsm_ascii_run(std::string_view text) noexcept;

/// True for every code point whose NFC_Quick_Check is not Yes, and some others.
[[nodiscard]] bool may_compose(char32_t code_point) noexcept;

}  // namespace stentor::encoding
