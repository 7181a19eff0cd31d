// How much of a text fits into one short message, and what the user-data header takes of it.
//
// Units    Octets of header; capacities in the units of their alphabet.
// Threads  Pure functions.
// Spec     TS 23.040 section 9.2.3.24 (user-data header), 9.2.3.24.1 and 8 (concatenation),
//          9.2.3.24.15 and 16 (national tables).
#pragma once

#include <cstddef>

#include "encoding/gsm_alphabet.h"
#include "encoding/segmenter.h"

namespace stentor::encoding {

inline constexpr std::size_t kUserDataOctets = 140;   // TS 23.040 section 9.2.3.24
inline constexpr std::size_t kSegmentsMax = 255;      // TS 23.040 section 9.2.3.24.1: one octet
inline constexpr std::size_t kPayloadOctets = 65535;  // SMPP 3.4 section 3.2.4.1: a TLV's length

/// What one part carries when it is the only one, and when it is one of several.
struct Capacity {
  std::size_t alone = 0;
  std::size_t part = 0;
};

/// Octets of user-data header, its length octet included; 0 without any element. With sar and
/// payload the carrier makes the header, and it is as long as that of udh8.
[[nodiscard]] constexpr std::size_t header_octets(Shifts shifts, bool tied,
                                                  Concatenation concatenation) noexcept {
  std::size_t elements = 0;
  if (tied) elements += concatenation == Concatenation::udh16 ? 6u : 5u;
  if (shifts.single != NationalLanguage::none) elements += 3;
  if (shifts.locking != NationalLanguage::none) elements += 3;
  return elements == 0 ? 0 : elements + 1;
}

[[nodiscard]] constexpr std::size_t units_beside(Alphabet alphabet, std::size_t header) noexcept {
  const std::size_t octets = kUserDataOctets - header;
  switch (alphabet) {
    case Alphabet::gsm7:
    case Alphabet::gsm7_packed: return octets * 8 / 7;
    case Alphabet::latin1:
    case Alphabet::ascii: return octets;
    case Alphabet::ucs2: return octets / 2;
  }
  return 0;
}

[[nodiscard]] constexpr Capacity capacity_of(Alphabet alphabet, Shifts shifts,
                                             Concatenation concatenation) noexcept {
  return {units_beside(alphabet, header_octets(shifts, false, concatenation)),
          units_beside(alphabet, header_octets(shifts, true, concatenation))};
}

}  // namespace stentor::encoding
