// Splits octets that are no text: what a caller sends as binary, with a user-data header of its
// own.
//
// Units    Octets.
// Owns     A BinaryPlan owns its parts; the octets stay the caller's.
// Errors   BinaryFault, returned as a value.
// Threads  Pure functions.
// Spec     TS 23.040 section 9.2.3.24 (user-data header), 9.2.3.24.1 (concatenation); 8-bit data.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "encoding/segmenter.h"

namespace stentor::encoding {

enum class BinaryFault : std::uint8_t {
  empty = 1,         ///< neither a header nor octets
  bad_header,        ///< the header's lengths do not add up, or it leaves no room for an octet
  already_tied,      ///< too long for one part, and the caller's header ties parts itself
  too_many_segments  ///< more than the caller allows
};

/// A lower-case phrase that follows a colon.
[[nodiscard]] std::string_view describe(BinaryFault fault) noexcept;

struct BinaryPart {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct BinaryPlan {
  boost::container::small_vector<BinaryPart, kPartsInline> parts;
  std::uint32_t segments = 1;  ///< parts.size(), save with payload: what the handset gets
};

/// Decides the cuts of `octets` octets that follow `header`, which is empty or a whole user-data
/// header, its length octet first. Every part gets the header; where there are several, the element
/// that ties them is put in front of the caller's.
[[nodiscard]] std::expected<BinaryPlan, BinaryFault> plan_binary(
    std::span<const std::uint8_t> header, std::size_t octets, Concatenation concatenation,
    std::size_t segments_max);

/// Writes part `index` of `body`. `out` has room for kPartOctetsMax, or for header and body with
/// Concatenation::payload.
[[nodiscard]] EncodedPart encode_binary_part(std::span<const std::uint8_t> header,
                                             std::span<const std::uint8_t> body,
                                             const BinaryPlan& plan, std::size_t index,
                                             Concatenation concatenation, Tie tie,
                                             std::span<std::uint8_t> out);

}  // namespace stentor::encoding
