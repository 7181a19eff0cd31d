#include "encoding/shift_choice.h"

#include <array>
#include <bit>
#include <cstdint>

#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

// One locking shift table, and what it needs of a single shift table.
struct Candidate {
  std::uint8_t locking = 0;
  std::uint16_t singles = 0;  // those that have every character this one has not
  std::size_t escapes = 0;
};

}  // namespace

ShiftChoices shift_choices(std::string_view text, NationalLanguages allowed) noexcept {
  // The default tables, bit 0, are always allowed. Spanish has no locking shift table.
  const auto singles = static_cast<std::uint16_t>(allowed.bits() | 1u);
  constexpr auto kSpanish = static_cast<std::uint8_t>(NationalLanguage::spanish);
  boost::container::static_vector<Candidate, kNationalLanguages + 1> candidates;
  for (std::uint8_t locking = 0; locking <= kNationalLanguages; ++locking) {
    if ((singles >> locking & 1u) == 0 || locking == kSpanish) continue;
    candidates.push_back({locking, singles, 0});
  }

  ShiftChoices choices;
  std::size_t characters = 0;
  while (choices.carried < text.size()) {
    const CodePoint next = code_point_at(text, choices.carried);
    const TablesWith with = tables_with(next.value);
    bool carried = false;
    for (Candidate& candidate : candidates) {
      if ((with.locking >> candidate.locking & 1u) == 0) {
        candidate.singles &= with.single;
        ++candidate.escapes;
      }
      carried |= candidate.singles != 0;
    }
    if (!carried) return choices;
    ++characters;
    choices.carried += next.octets;
  }
  for (const Candidate& candidate : candidates) {
    if (candidate.singles == 0) continue;
    choices.possible.push_back(
        {{static_cast<NationalLanguage>(candidate.locking),
          static_cast<NationalLanguage>(std::countr_zero(candidate.singles))},
         characters + candidate.escapes});
  }
  return choices;
}

}  // namespace stentor::encoding
