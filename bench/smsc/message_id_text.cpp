#include "bench/smsc/message_id_text.h"

#include <algorithm>
#include <charconv>

#include "bench/smsc/dice.h"

namespace stentor::smsc {
namespace {

constexpr std::size_t kPaddedDigits = 20;  // as many as 64 bits need

IdStyle style_of(std::uint64_t number) noexcept {
  constexpr std::array kStyles{IdStyle::hex, IdStyle::decimal, IdStyle::padded, IdStyle::uuid};
  return kStyles[scramble(number) % kStyles.size()];
}

void write_uuid(std::uint64_t number, char* to) noexcept {
  constexpr std::string_view kDigits = "0123456789abcdef";
  // Version 4, variant 1, as RFC 9562 lays them out, in front of and behind the scrambled number.
  const std::uint64_t high = (scramble(number) & ~0xf000ULL) | 0x4000ULL;
  const std::uint64_t low = (scramble(~number) & ~(3ULL << 62)) | 2ULL << 62;
  std::size_t at = 0;
  for (std::size_t digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) to[at++] = '-';
    const std::uint64_t word = digit < 16 ? high : low;
    to[at++] = kDigits[word >> (60 - 4 * (digit % 16)) & 0xf];
  }
}

}  // namespace

IdText id_text(std::uint64_t number, IdStyle style) noexcept {
  if (style == IdStyle::mixed) style = style_of(number);
  IdText text;
  char* const begin = text.octets_.data();
  if (style == IdStyle::uuid) {
    write_uuid(number, begin);
    text.size_ = 36;
    return text;
  }
  if (style == IdStyle::oversize) {
    const IdText padded = id_text(number, IdStyle::padded);
    char* const digits = std::fill_n(begin, kOversizeId - padded.view().size(), 'x');
    std::ranges::copy(padded.view(), digits);
    text.size_ = kOversizeId;
    return text;
  }
  const bool is_hex = style == IdStyle::hex || style == IdStyle::hex_upper;
  char* end = std::to_chars(begin, begin + text.octets_.size(), number, is_hex ? 16 : 10).ptr;
  if (style == IdStyle::hex_upper) {
    std::transform(begin, end, begin,
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  }
  if (style == IdStyle::padded) {
    const auto missing = static_cast<std::ptrdiff_t>(kPaddedDigits) - (end - begin);
    std::copy_backward(begin, end, end + missing);
    std::fill_n(begin, missing, '0');
    end += missing;
  }
  text.size_ = static_cast<std::uint8_t>(end - begin);
  return text;
}

}  // namespace stentor::smsc
