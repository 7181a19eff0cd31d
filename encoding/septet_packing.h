// Septets into octets and back.
//
// Units    Septets, octets, and the bits between a header and the first septet.
// Errors   None: any octets unpack to some septets.
// Threads  Pure functions.
// Spec     TS 23.038 section 6.1.2.1 (packing), 6.1.2.3.1 (a carriage return in seven spare bits);
//          TS 23.040 section 9.2.3.24 (fill bits after a user-data header).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace stentor::encoding {

/// Bits of nothing that bring the first septet to a septet boundary after a header.
[[nodiscard]] constexpr std::size_t fill_bits(std::size_t header_octets) noexcept {
  return (7 - header_octets * 8 % 7) % 7;
}

/// Packs `septets` into `out` and returns how many octets that took. Where seven bits would be left
/// they hold a carriage return; where the last septet is a carriage return that ends with its octet
/// and would be taken for such padding, another follows it. Either way unpack() gives the septets
/// back. `out` has room for septets.size() + 1 octets.
[[nodiscard]] std::size_t pack(std::span<const std::uint8_t> septets, std::size_t fill_bits,
                               std::span<std::uint8_t> out) noexcept;

/// Unpacks into `septets`, which has room for octets.size() * 8 / 7, and returns how many there
/// are; a carriage return that ends with the last octet is padding.
[[nodiscard]] std::size_t unpack(std::span<const std::uint8_t> octets, std::size_t fill_bits,
                                 std::span<std::uint8_t> septets) noexcept;

}  // namespace stentor::encoding
