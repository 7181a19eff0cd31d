// Says a text in other characters: composed (NFC), and as a cheaper alphabet has them.
//
// Units    Octets of UTF-8; every offset is into the text as it was given.
// Owns     A Rewritten owns its text; nothing refers back.
// Errors   None. A character without a replacement stays as it is.
// Threads  Pure functions.
// Spec     UAX #15 (NFC); ICAO Doc 9303 part 3 section 6 (Cyrillic); see docs/encoding.md for the
//          tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "encoding/national_language.h"
#include "encoding/segmenter.h"

namespace stentor::encoding {

struct Rewritten {
  std::string text;
  std::vector<Replaced> changes;  ///< in order; neighbours are one
};

/// What need not be changed: the characters of an alphabet.
struct Target {
  Alphabet alphabet = Alphabet::gsm7;
  NationalLanguages national;  ///< for gsm7: these tables as well
};

/// `text` in Normalization Form C. A run of combining marks longer than any language has is left
/// as it is (UAX #15 section 13 draws the line at 30).
[[nodiscard]] Rewritten compose(std::string_view text);

/// `text` composed, with whatever `target` lacks replaced as `replacement` allows.
[[nodiscard]] Rewritten rewrite(std::string_view text, Replacement replacement,
                                const Target& target);

/// `text` without the characters that show nothing and join nothing.
[[nodiscard]] Rewritten without_invisible(std::string_view text);

}  // namespace stentor::encoding
