#include "encoding/national_language.h"

#include <array>
#include <cstddef>

namespace stentor::encoding {

namespace {

// By identifier, from 1.
constexpr std::array<std::string_view, kNationalLanguages> kCodes{
    "tr", "es", "pt", "bn", "gu", "hi", "kn", "ml", "or", "pa", "ta", "te", "ur"};

}  // namespace

std::optional<NationalLanguage> national_language_of(std::string_view code) noexcept {
  for (std::size_t at = 0; at < kCodes.size(); ++at) {
    if (kCodes[at] == code) return static_cast<NationalLanguage>(at + 1);
  }
  return std::nullopt;
}

std::string_view code_of(NationalLanguage language) noexcept {
  const auto identifier = static_cast<std::size_t>(language);
  return identifier == 0 || identifier > kCodes.size() ? std::string_view{}
                                                       : kCodes[identifier - 1];
}

}  // namespace stentor::encoding
