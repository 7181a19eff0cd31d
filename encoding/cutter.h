// Cuts a text into parts once it is decided how it travels.
//
// Units    Octets of UTF-8 and units of the alphabet.
// Errors   None: the text is valid UTF-8 and the alphabet has every character of it.
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "encoding/capacity.h"
#include "encoding/gsm_alphabet.h"
#include "encoding/segmenter.h"

namespace stentor::encoding {

/// How a text travels, and how long it is in that alphabet.
struct Carriage {
  Alphabet alphabet = Alphabet::gsm7;
  Shifts shifts{};
  std::size_t units = 0;
  bool unit_per_octet = false;  ///< throughout the text: cuts need no looking
};

struct Cuts {
  std::size_t segments = 1;
  bool inside_cluster = false;
};

/// Gives each part to `parts`, when that is not null, up to 255 of them; counts all.
[[nodiscard]] Cuts cut(std::string_view text, const Carriage& carriage, Capacity capacity,
                       PartList* parts);

}  // namespace stentor::encoding
