// The place of one record in the journal, in eight octets.
//
// Units    `block` and `record` are octets: from the start of the file to the block, and from the
//          block's first payload octet to the record. Blocks start on multiples of 64 octets.
// Threads  A plain value. Locators order as their records do in the journal.
#pragma once

#include <compare>
#include <cstdint>

namespace stentor::queue {

inline constexpr std::uint32_t kBlockAlignOctets = 64;       // a cache line; keeps Locator small
inline constexpr std::uint32_t kFileOctetsMax = 256u << 20;  // 22 bits of 64-octet steps
inline constexpr std::uint32_t kBlockOctetsMax = 4u << 20;   // 22 bits of octets

class Locator {
 public:
  constexpr Locator() = default;
  constexpr explicit Locator(std::uint64_t bits) noexcept : bits_(bits) {}
  constexpr Locator(std::uint32_t file, std::uint32_t block, std::uint32_t record) noexcept
      : bits_(std::uint64_t{file} << 44 | std::uint64_t{block / kBlockAlignOctets} << 22 | record) {
  }

  /// Number of the file, from 1; 0 means "nowhere". 20 bits: 1,048,575 files of up to 256 MiB.
  [[nodiscard]] constexpr std::uint32_t file() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> 44);
  }
  [[nodiscard]] constexpr std::uint32_t block() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> 22 & 0x3fffff) * kBlockAlignOctets;
  }
  [[nodiscard]] constexpr std::uint32_t record() const noexcept {
    return static_cast<std::uint32_t>(bits_ & 0x3fffff);
  }
  [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
  [[nodiscard]] constexpr bool is_nowhere() const noexcept { return bits_ == 0; }

  friend constexpr auto operator<=>(Locator, Locator) noexcept = default;

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace stentor::queue
