// The GSM 7 bit alphabet in both directions, with the national language shift tables.
//
// Units    Septets and code points.
// Errors   A character the alphabet does not have is an ordinary no.
// Threads  Constant tables and pure functions.
// Spec     3GPP TS 23.038 section 6.2.1 (default alphabet), 6.2.1.1 (extension table),
//          annex A (national language tables).
#pragma once

#include <array>
#include <cstdint>

#include "encoding/national_language.h"

namespace stentor::encoding {

inline constexpr std::uint8_t kEscape = 0x1b;  // TS 23.038 section 6.2.1: to the extension table

/// The two tables a text is written with; `none` is the default alphabet and its extension.
struct Shifts {
  NationalLanguage locking = NationalLanguage::none;
  NationalLanguage single = NationalLanguage::none;

  [[nodiscard]] constexpr bool are_default() const noexcept {
    return locking == NationalLanguage::none && single == NationalLanguage::none;
  }
  bool operator==(const Shifts&) const = default;
};

/// How a character is written: one septet, or the escape and one septet.
class GsmCode {
 public:
  constexpr GsmCode() = default;  ///< no code at all
  static constexpr GsmCode plain(std::uint8_t septet) noexcept { return GsmCode(septet); }
  static constexpr GsmCode escaped(std::uint8_t septet) noexcept {
    return GsmCode(static_cast<std::uint8_t>(septet | kEscaped));
  }

  [[nodiscard]] constexpr bool exists() const noexcept { return bits_ != kEscape; }
  [[nodiscard]] constexpr bool is_escaped() const noexcept { return (bits_ & kEscaped) != 0; }
  /// 1 or 2 septets; 0 when there is no code.
  [[nodiscard]] constexpr std::uint8_t septets() const noexcept {
    return exists() ? static_cast<std::uint8_t>(1 + (bits_ >> 7)) : std::uint8_t{0};
  }
  /// The one that carries the character, after the escape if there is one.
  [[nodiscard]] constexpr std::uint8_t septet() const noexcept { return bits_ & 0x7fu; }

 private:
  static constexpr std::uint8_t kEscaped = 0x80;
  explicit constexpr GsmCode(std::uint8_t bits) noexcept : bits_(bits) {}

  std::uint8_t bits_ = kEscape;  // the escape itself is no character's code
};

inline constexpr char32_t kDefaultCodesEnd = 0x400;  // all but the euro sign are below it
extern const std::array<GsmCode, kDefaultCodesEnd> kDefaultCodes;

/// In the default alphabet and its extension table.
[[nodiscard]] inline GsmCode default_code_of(char32_t code_point) noexcept {
  if (code_point < kDefaultCodesEnd) return kDefaultCodes[code_point];
  return code_point == U'\u20ac' ? GsmCode::escaped(0x65) : GsmCode();
}

/// In the tables of `shifts`; the locking shift table is tried first.
[[nodiscard]] GsmCode code_of(char32_t code_point, Shifts shifts) noexcept;

/// The languages, `none` (the default tables) among them at bit 0, whose tables have a character.
struct TablesWith {
  std::uint16_t locking = 0;
  std::uint16_t single = 0;
};
[[nodiscard]] TablesWith tables_with(char32_t code_point) noexcept;

/// What a septet shows. A code the standard leaves undefined, and the escape, show a space.
[[nodiscard]] char16_t character_of(std::uint8_t septet, Shifts shifts) noexcept;

/// What a septet shows after an escape: where the extension table has nothing, the character of
/// the main table (TS 23.038 section 6.2.1.1); a second escape shows a space.
[[nodiscard]] char16_t escaped_character_of(std::uint8_t septet, Shifts shifts) noexcept;

}  // namespace stentor::encoding
