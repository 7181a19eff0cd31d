#include "daemon/ingress/number.h"

#include <algorithm>

#include "encoding/segmenter.h"

namespace stentor::daemon {
namespace {

constexpr std::size_t kDigitsMin = 7;
constexpr std::size_t kDigitsMax = 15;
constexpr std::size_t kShortCodeMin = 3;
constexpr std::size_t kShortCodeMax = 8;
constexpr std::size_t kAlphanumericMax = 11;
// A number with every separator a person might type: three characters a digit are generous.
constexpr std::size_t kWrittenMax = 64;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_separator(char c) {
  return c == ' ' || c == '-' || c == '(' || c == ')' || c == '.';
}

encoding::result<encoding::Plan> plan_strictly(std::string_view text, encoding::Alphabet alphabet) {
  encoding::PlanOptions options;
  options.alphabets = {&alphabet, 1};
  options.strict = true;
  return encoding::plan(text, options);
}

// Digits of `text` with separators gone; nothing when anything else is in it.
std::expected<std::string, std::string_view> digits_of(std::string_view text) {
  if (text.size() > kWrittenMax) return std::unexpected("is too long for a number");
  std::string digits;
  for (const char c : text) {
    if (is_separator(c)) continue;
    if (!is_digit(c)) return std::unexpected("has a character that is not part of a number");
    digits.push_back(c);
  }
  return digits;
}

}  // namespace

NumberResult normalise_destination(std::string_view text) {
  while (!text.empty() && is_separator(text.front())) text.remove_prefix(1);
  const bool has_plus = text.starts_with('+');
  if (has_plus) text.remove_prefix(1);
  auto digits = digits_of(text);
  if (!digits) return digits;
  if (!has_plus && digits->starts_with("00")) digits->erase(0, 2);
  if (digits->size() < kDigitsMin) return std::unexpected("has fewer than 7 digits");
  if (digits->size() > kDigitsMax) return std::unexpected("has more than 15 digits");
  if (digits->front() == '0') return std::unexpected("starts with 0: write it internationally");
  return "+" + *digits;
}

NumberResult normalise_short_code(std::string_view text) {
  auto digits = digits_of(text);
  if (!digits) return digits;
  if (digits->size() < kShortCodeMin) return std::unexpected("is shorter than 3 digits");
  if (digits->size() > kShortCodeMax) return std::unexpected("is longer than 8 digits");
  return digits;
}

NumberResult normalise_sender(std::string_view text) {
  if (text.empty()) return std::unexpected("is empty");
  if (text.size() > kWrittenMax) return std::unexpected("is longer than 11 characters");
  const bool numeric =
      std::ranges::all_of(text, [](char c) { return is_digit(c) || is_separator(c) || c == '+'; });
  if (numeric) {
    if (const auto digits = digits_of(text); digits && digits->size() <= kShortCodeMax) {
      return normalise_short_code(text);
    }
    return normalise_destination(text);
  }
  const auto gsm = plan_strictly(text, encoding::Alphabet::gsm7);
  if (!gsm) return std::unexpected("has a character outside the GSM alphabet");
  if (gsm->units > kAlphanumericMax) return std::unexpected("is longer than 11 characters");
  if (!plan_strictly(text, encoding::Alphabet::latin1)) {
    return std::unexpected("has a character that an SMPP address cannot carry");
  }
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    return std::unexpected("has a control character");
  }
  return std::string(text);
}

std::string to_utf8(std::string_view wire) {
  std::string text;
  for (const char c : wire) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      text.push_back(c);
    } else {
      text.push_back(static_cast<char>(0xc0 | octet >> 6));
      text.push_back(static_cast<char>(0x80 | (octet & 0x3f)));
    }
  }
  return text;
}

std::string to_wire(std::string_view kept) {
  if (kept.starts_with('+')) kept.remove_prefix(1);
  std::string wire;
  wire.reserve(kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto octet = static_cast<unsigned char>(kept[i]);
    if (octet < 0x80 || i + 1 == kept.size()) {
      wire.push_back(kept[i]);
    } else {  // two octets of UTF-8 are one of Latin-1: normalise_sender let nothing else in
      const auto next = static_cast<unsigned char>(kept[++i]);
      wire.push_back(static_cast<char>((octet & 0x03) << 6 | (next & 0x3f)));
    }
  }
  return wire;
}

}  // namespace stentor::daemon
