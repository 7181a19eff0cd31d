// The id of a message: 128 bits that sort by time and never repeat, written as 26 characters.
//
// Layout, high to low: 48 bits milliseconds of Unix time, 10 bits node, 16 bits incarnation of the
// journal, 54 bits accept sequence. Text is Crockford's base32, most significant digit first.
//
// Units    Milliseconds of Unix time.
// Errors   Text that is no id is an ordinary "no" (nullopt).
// Threads  A plain value.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stentor::daemon {

inline constexpr std::size_t kMessageIdCharacters = 26;
inline constexpr std::uint64_t kSequenceMax = (1ull << 54) - 1;

class MessageId {
 public:
  constexpr MessageId() = default;
  constexpr MessageId(std::uint64_t high, std::uint64_t low) noexcept : high_(high), low_(low) {}
  /// `time_ms` below 2^48, `node` below 1024, `sequence` at most kSequenceMax.
  [[nodiscard]] static MessageId make(std::uint64_t time_ms, std::uint32_t node,
                                      std::uint16_t incarnation, std::uint64_t sequence) noexcept;
  [[nodiscard]] static std::optional<MessageId> parse(std::string_view text) noexcept;

  [[nodiscard]] std::uint64_t time_ms() const noexcept { return high_ >> 16; }
  [[nodiscard]] std::uint64_t sequence() const noexcept { return low_ & kSequenceMax; }
  [[nodiscard]] std::uint64_t high() const noexcept { return high_; }
  [[nodiscard]] std::uint64_t low() const noexcept { return low_; }
  [[nodiscard]] std::array<char, kMessageIdCharacters> text() const noexcept;

  friend constexpr auto operator<=>(const MessageId&, const MessageId&) noexcept = default;

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

}  // namespace stentor::daemon
