#include "encoding/utf8.h"

namespace stentor::encoding {

CodePoint checked_code_point(std::string_view text, std::size_t at) noexcept {
  const std::size_t left = text.size() - at;
  const auto octet = [&](std::size_t ahead) {
    return static_cast<char32_t>(static_cast<std::uint8_t>(text[at + ahead]));
  };
  const auto continues = [&](std::size_t ahead) { return is_continuation(text[at + ahead]); };
  const char32_t lead = octet(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xc2) return {};  // a continuation octet, or an overlong form
  if (lead < 0xe0) {
    if (left < 2 || !continues(1)) return {};
    return code_point_at(text, at);
  }
  if (lead < 0xf0) {
    if (left < 3 || !continues(1) || !continues(2)) return {};
    const CodePoint found = code_point_at(text, at);
    const bool surrogate = found.value >= 0xd800 && found.value < 0xe000;
    return found.value < 0x800 || surrogate ? CodePoint{} : found;
  }
  if (lead > 0xf4 || left < 4 || !continues(1) || !continues(2) || !continues(3)) return {};
  const CodePoint found = code_point_at(text, at);
  return found.value < 0x10000 || found.value > 0x10ffff ? CodePoint{} : found;
}

void append_utf8(std::string& text, char32_t code_point) {
  const auto put = [&](char32_t octet) { text.push_back(static_cast<char>(octet)); };
  const auto put_continuation = [&](char32_t bits) { put(0x80u | (bits & 0x3fu)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0u | code_point >> 6);
    put_continuation(code_point);
  } else if (code_point < 0x10000) {
    put(0xe0u | code_point >> 12);
    put_continuation(code_point >> 6);
    put_continuation(code_point);
  } else {
    put(0xf0u | code_point >> 18);
    put_continuation(code_point >> 12);
    put_continuation(code_point >> 6);
    put_continuation(code_point);
  }
}

}  // namespace stentor::encoding
