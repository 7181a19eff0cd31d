// The user-data header in front of a part: reads any, writes the elements that texts need.
//
// Units    Octets. `octets` counts the whole header, its length octet included.
// Errors   A header that does not fit into its octets is an ordinary no.
// Threads  Pure functions.
// Spec     TS 23.040 section 9.2.3.24; 9.2.3.24.1 (concatenation, 8-bit reference), 9.2.3.24.8
//          (16-bit), 9.2.3.24.15 (single shift, 0x24), 9.2.3.24.16 (locking shift, 0x25).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "encoding/gsm_alphabet.h"
#include "encoding/segmenter.h"

namespace stentor::encoding {

struct UserDataHeader {
  std::size_t octets = 0;
  std::optional<Tie> tie{};  ///< when it is one part of several
  Shifts shifts{};           ///< languages the standard does not name are read as none
};

/// Reads the header that `user_data` begins with. Elements it does not know are passed over; of
/// two ties or two tables the last counts, as TS 23.040 section 9.2.3.24 has it. Nothing when the
/// header is longer than the octets or an element longer than the header.
[[nodiscard]] std::optional<UserDataHeader> read_header(
    std::span<const std::uint8_t> user_data) noexcept;

/// Writes a header with what is given, and returns its octets; 0 when there is nothing to write.
/// `out` has room for 14.
[[nodiscard]] std::size_t write_header(std::optional<Tie> tie, bool wide_reference, Shifts shifts,
                                       std::span<std::uint8_t> out) noexcept;

}  // namespace stentor::encoding
