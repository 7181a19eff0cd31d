#include "daemon/records/message_id.h"

namespace stentor::daemon {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    const auto upper = static_cast<unsigned char>(kDigits[i]);
    values[upper] = static_cast<std::int8_t>(i);
    if (upper >= 'A') values[upper + ('a' - 'A')] = static_cast<std::int8_t>(i);
  }
  return values;
}
constexpr auto kValues = make_values();

}  // namespace

MessageId MessageId::make(std::uint64_t time_ms, std::uint32_t node, std::uint16_t incarnation,
                          std::uint64_t sequence) noexcept {
  // 48 + 10 + 16 + 54 bits: the upper word takes the time and the node's and incarnation's top.
  const std::uint64_t middle = std::uint64_t{node} << 16 | incarnation;  // 26 bits
  return {time_ms << 16 | middle >> 10, (middle & 0x3ff) << 54 | sequence};
}

std::array<char, kMessageIdCharacters> MessageId::text() const noexcept {
  std::array<char, kMessageIdCharacters> out;
  std::uint64_t high = high_;
  std::uint64_t low = low_;
  for (std::size_t i = kMessageIdCharacters; i-- > 0;) {
    out[i] = kDigits[low & 31];
    low = low >> 5 | high << 59;
    high >>= 5;
  }
  return out;
}

std::optional<MessageId> MessageId::parse(std::string_view text) noexcept {
  if (text.size() != kMessageIdCharacters) return std::nullopt;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (const char c : text) {
    const std::int8_t value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    if ((high >> 59) != 0) return std::nullopt;  // more than 128 bits
    high = high << 5 | low >> 59;
    low = low << 5 | static_cast<std::uint64_t>(value);
  }
  return MessageId(high, low);
}

}  // namespace stentor::daemon
