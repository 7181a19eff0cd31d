#include "protocol/message_id.h"

#include <algorithm>
#include <optional>
#include <span>

namespace stentor::protocol {
namespace {

__extension__ using Number = unsigned __int128;  // ids beyond 64 bits are met: 22 digits and more
constexpr Number kNumberMax = ~Number{0};
constexpr std::string_view kDigits = "0123456789abcdef";

[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The value of a digit, or 16 for what is none. `c` is in lower case.
[[nodiscard]] constexpr unsigned value_of(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return 16;
}

[[nodiscard]] std::optional<Number> number_of(std::string_view text, unsigned base) noexcept {
  if (text.empty()) return std::nullopt;
  Number number = 0;
  for (const char c : text) {
    const unsigned digit = value_of(c);
    if (digit >= base || number > (kNumberMax - digit) / base) return std::nullopt;
    number = number * base + digit;
  }
  return number;
}

// The same number written in another base, or nothing when it is no number in the first.
[[nodiscard]] std::optional<CanonicalId> rewritten(const CanonicalId& id, unsigned from,
                                                   unsigned to) noexcept {
  auto number = number_of(id.text(), from);
  if (!number) return std::nullopt;
  std::array<char, 40> digits;  // 39 decimal digits hold 128 bits
  std::size_t at = digits.size();
  do {
    digits[--at] = kDigits[static_cast<std::size_t>(*number % to)];
    *number /= to;
  } while (*number != 0);
  return CanonicalId({digits.data() + at, digits.size() - at});
}

void add(Spellings& spellings, const CanonicalId& id, MessageIdRule rule) noexcept {
  const auto known = std::span(spellings.candidates).first(spellings.count);
  const auto is_same = [&](const CanonicalId& other) { return other.text() == id.text(); };
  if (std::ranges::any_of(known, is_same)) return;
  spellings.candidates[spellings.count] = id;
  spellings.rules[spellings.count] = rule;
  ++spellings.count;
}

}  // namespace

CanonicalId::CanonicalId(std::string_view id) noexcept {
  // One digit stays, so that an id of zeros is not no id.
  while (id.size() > 1 && id.front() == '0') id.remove_prefix(1);
  size_ = static_cast<std::uint8_t>(std::min(id.size(), octets_.size()));
  std::transform(id.begin(), id.begin() + size_, octets_.begin(), lower);
}

Spellings spellings_of(std::string_view receipt_id, MessageIdRule rule) noexcept {
  constexpr unsigned kDecimal = 10;
  constexpr unsigned kHex = 16;
  Spellings spellings;
  if (receipt_id.empty()) return spellings;
  const CanonicalId verbatim(receipt_id);
  const bool tries_all = rule == MessageIdRule::automatic;

  if (tries_all) add(spellings, verbatim, MessageIdRule::verbatim);
  if (tries_all || rule == MessageIdRule::decimal) {
    if (const auto id = rewritten(verbatim, kDecimal, kHex)) {
      add(spellings, *id, MessageIdRule::decimal);
    }
  }
  if (tries_all || rule == MessageIdRule::hex) {
    if (const auto id = rewritten(verbatim, kHex, kDecimal)) {
      add(spellings, *id, MessageIdRule::hex);
    }
  }
  // What is no number by the carrier's own rule can only be meant as it stands.
  if (spellings.count == 0) add(spellings, verbatim, MessageIdRule::verbatim);
  return spellings;
}

}  // namespace stentor::protocol
