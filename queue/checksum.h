// CRC-32C, the checksum of the journal.
//
// Units    Octets.
// Threads  Pure functions.
// Spec     RFC 3720 section 12.1 and appendix B.4: the value of "123456789" is e3069283.
#pragma once

#include <cstdint>
#include <span>

namespace stentor::queue {

/// The CRC-32C of some octets, with `before` the checksum of what came before them.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::uint8_t> octets,
                                   std::uint32_t before = 0) noexcept;

}  // namespace stentor::queue
