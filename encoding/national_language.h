// The national languages of TS 23.038 annex A, by their identifiers.
//
// Threads  Plain values.
// Spec     3GPP TS 23.038 section 6.2.1.2.4 (identifiers); TS 23.040 section 9.2.3.24.15 and 16
//          (information elements 0x24 single shift, 0x25 locking shift).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stentor::encoding {

enum class NationalLanguage : std::uint8_t {
  none = 0,
  turkish = 1,
  spanish = 2,  // single shift only
  portuguese = 3,
  bengali = 4,
  gujarati = 5,
  hindi = 6,
  kannada = 7,
  malayalam = 8,
  oriya = 9,
  punjabi = 10,
  tamil = 11,
  telugu = 12,
  urdu = 13
};

inline constexpr std::size_t kNationalLanguages = 13;              // `none` not counted
inline constexpr std::size_t kGsmTables = kNationalLanguages + 1;  // the default ones are at 0

/// "tr", "es", "pt", "bn", "gu", "hi", "kn", "ml", "or", "pa", "ta", "te", "ur".
[[nodiscard]] std::optional<NationalLanguage> national_language_of(std::string_view code) noexcept;

/// The same code back; empty for none.
[[nodiscard]] std::string_view code_of(NationalLanguage language) noexcept;

/// A set of them.
class NationalLanguages {
 public:
  constexpr NationalLanguages() = default;
  /// From bits() of another one.
  constexpr explicit NationalLanguages(std::uint16_t bits) noexcept : bits_(bits) {}
  constexpr void allow(NationalLanguage language) noexcept {
    bits_ = static_cast<std::uint16_t>(bits_ | 1u << static_cast<unsigned>(language));
  }
  [[nodiscard]] constexpr bool allows(NationalLanguage language) const noexcept {
    return (bits_ >> static_cast<unsigned>(language) & 1u) != 0;
  }
  [[nodiscard]] constexpr bool is_empty() const noexcept { return bits_ == 0; }
  /// One bit a language, at its identifier.
  [[nodiscard]] constexpr std::uint16_t bits() const noexcept { return bits_; }

 private:
  std::uint16_t bits_ = 0;
};

}  // namespace stentor::encoding
