// UTF-8 to UTF-16, big end first, as UCS-2 messages carry it.
//
// Units    Octets.
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stentor::encoding {

inline constexpr std::size_t kUtf16Slack = 16;  ///< octets that may be written past what counts

/// Writes valid UTF-8 as UTF-16 and returns the octets that count. `out` has room for two octets a
/// code unit, and kUtf16Slack more.
[[nodiscard]] std::size_t write_utf16(std::string_view text, std::uint8_t* out) noexcept;

/// The same without the vector instructions that this machine may have; for tests.
[[nodiscard]] std::size_t write_utf16_portably(std::string_view text, std::uint8_t* out) noexcept;

}  // namespace stentor::encoding
