// Plain values as the octets that they are on disk, and the check of a file's header among them.
//
// Units    Octets; little-endian, as all machines that this runs on.
// Owns     Nothing: what it answers views the values.
// Threads  Pure functions.
// Spec     docs/journal.md, of each file that is laid out so
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "queue/checksum.h"

namespace stentor::daemon {

template <class Values>
[[nodiscard]] std::span<const std::uint8_t> octets_of(const Values& values) {
  static_assert(std::is_trivially_copyable_v<typename Values::value_type>);
  return {reinterpret_cast<const std::uint8_t*>(values.data()),
          values.size() * sizeof(typename Values::value_type)};
}

/// Where as many octets are read to as the values have.
template <class Values>
[[nodiscard]] std::span<std::uint8_t> room_of(Values& values) {
  static_assert(std::is_trivially_copyable_v<typename Values::value_type>);
  return {reinterpret_cast<std::uint8_t*>(values.data()),
          values.size() * sizeof(typename Values::value_type)};
}

/// CRC-32C of a header as if its own `check` were 0, to go on from with what it stands for.
template <class Header>
[[nodiscard]] std::uint32_t check_of_header(Header header) {
  header.check = 0;
  std::array<std::uint8_t, sizeof(Header)> octets{};
  std::memcpy(octets.data(), &header, sizeof header);
  return queue::crc32c(octets);
}

}  // namespace stentor::daemon
