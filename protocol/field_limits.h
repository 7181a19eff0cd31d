// How long each text of a PDU may be.
//
// Units    Octets without the terminating NUL, which takes one more on the wire.
// Threads  Constants and a pure function.
// Spec     SMPP 3.4 section 4 (the "Size octets" columns, less one).
#pragma once

#include <cstddef>
#include <string_view>

namespace stentor::protocol {

inline constexpr std::size_t kServiceTypeMax = 5;
inline constexpr std::size_t kAddressMax = 20;      // section 4.4.1
inline constexpr std::size_t kDataAddressMax = 64;  // data_sm, section 4.7.1
inline constexpr std::size_t kTimeMax = 16;
inline constexpr std::size_t kSystemIdMax = 15;
inline constexpr std::size_t kPasswordMax = 8;
inline constexpr std::size_t kSystemTypeMax = 12;
inline constexpr std::size_t kAddressRangeMax = 40;
inline constexpr std::size_t kMessageIdMax = 64;
inline constexpr std::size_t kShortMessageMax = 254;  // user-data header and text together

/// Whether `text` can travel as a C-octet string of at most `octets_max`. One with a NUL cannot:
/// it would end there (GSM `@` is 0x00).
[[nodiscard]] inline bool fits(std::string_view text, std::size_t octets_max) noexcept {
  return text.size() <= octets_max && text.find('\0') == std::string_view::npos;
}

}  // namespace stentor::protocol
