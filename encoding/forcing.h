// What a text would cost without the characters that force it out of the first alphabet.
//
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "encoding/segmenter.h"

namespace stentor::encoding {

struct Unforced {
  std::uint32_t characters = 0;  ///< user-perceived ones that would have to go
  std::uint32_t segments = 0;    ///< what the rest takes; 0 when nothing is left
};

/// Takes out every character that the first of options.alphabets cannot carry. With national
/// tables: the pair of tables for which the fewest must go. Nothing is replaced. Fails as plan().
[[nodiscard]] result<Unforced> without_forcing(std::string_view text, const PlanOptions& options);

}  // namespace stentor::encoding
