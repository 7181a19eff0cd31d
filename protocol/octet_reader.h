// The one way by which this folder gets at octets from a peer: a reader that cannot leave them.
//
// Every read goes through take(), which is bounded. After the first failure nothing more is handed
// out: reads answer zero or empty, and error() says what went wrong first. So a decoder reads all
// its fields in a row and asks once.
//
// Units    Octets, big-endian integers (section 3.1).
// Owns     Nothing: texts and spans view the octets given.
// Threads  A local variable's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/error.h"

namespace stentor::protocol {

class OctetReader {
 public:
  explicit OctetReader(std::span<const std::uint8_t> octets) noexcept : rest_(octets) {}

  /// Exactly `count` octets, or none and truncated.
  [[nodiscard]] std::span<const std::uint8_t> take(std::size_t count) noexcept {
    if (count > rest_.size()) {
      fail(CodecError::truncated);
      return {};
    }
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  [[nodiscard]] std::uint8_t u8() noexcept {
    const auto octets = take(1);
    return octets.empty() ? std::uint8_t{0} : octets[0];
  }
  [[nodiscard]] std::uint16_t u16() noexcept {
    const auto octets = take(2);
    return octets.empty() ? std::uint16_t{0}
                          : static_cast<std::uint16_t>(octets[0] << 8 | octets[1]);
  }

  /// A C-octet string of at most `octets_max`, which its NUL follows.
  [[nodiscard]] std::string_view c_octets(std::size_t octets_max) noexcept {
    const auto field = rest_.first(std::min(octets_max + 1, rest_.size()));
    const void* nul = field.empty() ? nullptr : std::memchr(field.data(), 0, field.size());
    if (nul == nullptr) {
      fail(field.empty() ? CodecError::truncated : CodecError::unterminated_string);
      return {};
    }
    const auto size =
        static_cast<std::size_t>(static_cast<const std::uint8_t*>(nul) - field.data());
    return text_of(take(size + 1).first(size));
  }

  /// One that may be longer than its field, up to the end of the PDU. Of more than `kept_max`
  /// octets nothing is kept: a number that is cut is another number.
  [[nodiscard]] std::string_view c_octets_of_any_length(std::size_t kept_max) noexcept {
    const std::string_view text = c_octets(rest_.size());
    return text.size() <= kept_max ? text : std::string_view();
  }

  [[nodiscard]] std::span<const std::uint8_t> rest() const noexcept { return rest_; }
  [[nodiscard]] std::optional<CodecError> error() const noexcept { return error_; }

  void fail(CodecError error) noexcept {
    if (!error_) error_ = error;
    rest_ = {};
  }

  [[nodiscard]] static std::string_view text_of(std::span<const std::uint8_t> octets) noexcept {
    // Octets and chars may alias; this is the only place where one becomes the other.
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
  }

 private:
  std::span<const std::uint8_t> rest_;
  std::optional<CodecError> error_;
};

}  // namespace stentor::protocol
