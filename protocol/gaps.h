// What stands between the fields of a receipt's text, and around it.
//
// Threads  Pure functions.
#pragma once

#include <string_view>

namespace stentor::protocol {

/// A space, or any control character: carriers end lines, and texts, in many ways, and leave a NUL
/// or padding behind the last field.
[[nodiscard]] constexpr bool is_gap(char c) noexcept {
  return static_cast<unsigned char>(c) <= ' ';
}

[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_gap(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_gap(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace stentor::protocol
