#include "protocol/message_id.h"

#include <algorithm>
#include <optional>
#include <span>

namespace stentor::protocol {
namespace {

__extension__ using Number = unsigned __int128;  // ids beyond 64 bits are met: 22 digits and more
constexpr unsigned kDecimal = 10;
constexpr unsigned kHex = 16;

[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// FNV-1a with 128 bits. That it can be made to collide on purpose does not matter: the carrier
// chooses its ids, and could as well give one id to two segments.
[[nodiscard]] Number hash_of(std::string_view id) noexcept {
  constexpr Number kPrime = Number{1} << 88 | 0x13b;
  Number hash = Number{0x6c62272e07bb0142} << 64 | 0x62b821756295c58d;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(lower(c))) * kPrime;
  return hash;
}

// The value of a digit, or 16 for what is none. `c` is in lower case.
[[nodiscard]] constexpr unsigned value_of(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return 16;
}

// The base is known when this is compiled, here and below: dividing by a variable costs a multiple.
template <unsigned Base>
[[nodiscard]] std::optional<Number> number_of(std::string_view text) noexcept {
  // Nearly all ids fit 64 bits, where a digit costs next to nothing: 16 digits do in any base.
  constexpr std::size_t kDigitsIn64Bits = 16;
  if (text.empty()) return std::nullopt;
  std::uint64_t start = 0;
  std::size_t at = 0;
  for (; at < std::min(text.size(), kDigitsIn64Bits); ++at) {
    const unsigned digit = value_of(text[at]);
    if (digit >= Base) return std::nullopt;
    start = start * Base + digit;
  }
  Number number = start;
  for (; at < text.size(); ++at) {
    const unsigned digit = value_of(text[at]);
    if (digit >= Base || __builtin_mul_overflow(number, Number{Base}, &number) ||
        __builtin_add_overflow(number, Number{digit}, &number)) {
      return std::nullopt;
    }
  }
  return number;
}

// Digits, written from the last to the first.
class Digits {
 public:
  // Writes at least `digits_min` digits, with zeros in front.
  template <unsigned Base>
  void put(std::uint64_t number, std::size_t digits_min) noexcept {
    const std::size_t until = at_ - digits_min;
    while (number != 0 || at_ > until) {
      digits_[--at_] = "0123456789abcdef"[number % Base];
      number /= Base;
    }
  }
  [[nodiscard]] std::string_view text() const noexcept {
    return {digits_.data() + at_, digits_.size() - at_};
  }

 private:
  std::array<char, 40> digits_;  // 39 decimal digits hold 128 bits
  std::size_t at_ = digits_.size();
};

// The same number written in another base, or nothing when it is no number in the first.
template <unsigned From, unsigned To>
[[nodiscard]] std::optional<CanonicalId> rewritten(const CanonicalId& id) noexcept {
  auto number = number_of<From>(id.text());
  if (!number) return std::nullopt;
  // In pieces of 64 bits: dividing 128 of them for each digit costs ten times as much.
  constexpr std::uint64_t kDecimalPiece = 10'000'000'000'000'000'000U;
  constexpr std::size_t kDecimalPieceDigits = 19;
  constexpr std::size_t kHexPieceDigits = 16;
  Digits digits;
  while (*number > ~std::uint64_t{0}) {
    if constexpr (To == kHex) {
      digits.put<kHex>(static_cast<std::uint64_t>(*number), kHexPieceDigits);
      *number >>= 64;
    } else {
      digits.put<kDecimal>(static_cast<std::uint64_t>(*number % kDecimalPiece),
                           kDecimalPieceDigits);
      *number /= kDecimalPiece;
    }
  }
  digits.put<To>(static_cast<std::uint64_t>(*number), digits.text().empty() ? 1 : 0);
  return CanonicalId(digits.text());
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
  if (id.size() > octets_.size()) [[unlikely]] {
    fold(id);
  }
}

void CanonicalId::fold(std::string_view id) noexcept {
  constexpr std::size_t kHashDigits = 32;
  auto at = octets_.end() - kHashDigits;
  *(at - 1) = '~';
  for (Number hash = hash_of(id); at != octets_.end(); hash <<= 4) {
    *at++ = "0123456789abcdef"[static_cast<std::size_t>(hash >> 124)];
  }
}

Spellings spellings_of(std::string_view receipt_id, MessageIdRule rule) noexcept {
  Spellings spellings;
  if (receipt_id.empty()) return spellings;
  const CanonicalId verbatim(receipt_id);
  const bool tries_all = rule == MessageIdRule::automatic;

  if (tries_all) add(spellings, verbatim, MessageIdRule::verbatim);
  if (tries_all || rule == MessageIdRule::decimal) {
    if (const auto id = rewritten<kDecimal, kHex>(verbatim)) {
      add(spellings, *id, MessageIdRule::decimal);
    }
  }
  if (tries_all || rule == MessageIdRule::hex) {
    if (const auto id = rewritten<kHex, kDecimal>(verbatim)) {
      add(spellings, *id, MessageIdRule::hex);
    }
  }
  // What is no number by the carrier's own rule can only be meant as it stands.
  if (spellings.count == 0) add(spellings, verbatim, MessageIdRule::verbatim);
  return spellings;
}

}  // namespace stentor::protocol
