// Integers at a place in octets, as the journal's files and excerpts have them.
//
// Units    Octets, lowest first; so far every machine we build for does the same.
// Errors   None: the place is the caller's to check.
// Threads  Pure functions.
// Spec     docs/journal.md
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace stentor::queue {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian");

template <class T>
void put(std::span<std::uint8_t> octets, std::size_t at, T value) noexcept {
  std::memcpy(&octets[at], &value, sizeof value);
}

template <class T>
[[nodiscard]] T get(std::span<const std::uint8_t> octets, std::size_t at) noexcept {
  T value;
  std::memcpy(&value, &octets[at], sizeof value);
  return value;
}

}  // namespace stentor::queue
