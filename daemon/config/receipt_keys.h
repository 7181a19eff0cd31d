// How `receipt_states` and `errors` name what a receipt says, where it is no error number.
//
// Threads  Pure functions.
// Spec     docs/configuration.md, "Receipts"; SMPP 3.4 section 5.2.28 (message_state)
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stentor::daemon {

inline constexpr std::string_view kStatKey = "stat:";
inline constexpr std::string_view kMessageStateKey = "message_state:";

/// The number in "message_state:8"; nothing where there is none, or another way to write it.
[[nodiscard]] inline std::optional<std::uint8_t> message_state_in(std::string_view key) noexcept {
  if (!key.starts_with(kMessageStateKey)) return std::nullopt;
  const std::string_view digits = key.substr(kMessageStateKey.size());
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  const bool is_plain = digits.size() == 1 || !digits.starts_with('0');
  if (error != std::errc() || end != digits.end() || !is_plain) return std::nullopt;
  return number;
}

}  // namespace stentor::daemon
