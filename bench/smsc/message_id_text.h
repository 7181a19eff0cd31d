// Writes a message's number as the id that a client sees, in the styles met in the field.
//
// Units    Characters.
// Owns     IdText keeps its characters.
// Threads  Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "bench/smsc/settings.h"

namespace stentor::smsc {

/// More than the 64 that the standard has room for, and with the rest of a receipt no more than a
/// short_message holds. Two of them differ in their last digits.
inline constexpr std::size_t kOversizeId = 100;

class IdText {
 public:
  [[nodiscard]] std::string_view view() const noexcept { return {octets_.data(), size_}; }

 private:
  friend IdText id_text(std::uint64_t number, IdStyle style) noexcept;
  std::array<char, kOversizeId> octets_;
  std::uint8_t size_ = 0;
};

/// `oversize` is `padded` behind letters. `mixed` takes one of hex, decimal, padded and uuid by the
/// number itself, so that a receipt repeats what its response said.
[[nodiscard]] IdText id_text(std::uint64_t number, IdStyle style) noexcept;

}  // namespace stentor::smsc
