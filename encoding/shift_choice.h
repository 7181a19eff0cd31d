// Which national language tables can carry a text, and how many septets it takes with them.
//
// Units    Octets of UTF-8, septets.
// Threads  Pure functions.
// Spec     TS 23.038 annex A; one pair of tables for all parts of a message.
#pragma once

#include <boost/container/static_vector.hpp>
#include <cstddef>
#include <string_view>

#include "encoding/gsm_alphabet.h"

namespace stentor::encoding {

struct ShiftedLength {
  Shifts shifts{};
  std::size_t septets = 0;
};

/// For each locking shift table that can, the single shift table to go with it: the default one if
/// that is enough, as it takes no room in the header; else the lowest that is.
struct ShiftChoices {
  boost::container::static_vector<ShiftedLength, kNationalLanguages + 1> possible;
  std::size_t carried = 0;  ///< octets of text before the first character that none can carry
};

[[nodiscard]] ShiftChoices shift_choices(std::string_view text, NationalLanguages allowed) noexcept;

}  // namespace stentor::encoding
