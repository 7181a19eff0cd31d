#include "encoding/user_data_header.h"

namespace stentor::encoding {

namespace {

// Information element identifiers, TS 23.040 section 9.2.3.24.
constexpr std::uint8_t kConcatenation8 = 0x00;
constexpr std::uint8_t kConcatenation16 = 0x08;
constexpr std::uint8_t kSingleShift = 0x24;
constexpr std::uint8_t kLockingShift = 0x25;

NationalLanguage language_of(std::uint8_t identifier, bool locking) noexcept {
  if (identifier > kNationalLanguages) return NationalLanguage::none;
  const auto language = static_cast<NationalLanguage>(identifier);
  return locking && language == NationalLanguage::spanish ? NationalLanguage::none : language;
}

// A count of 0, or a number that is 0 or past the count, is as if the element were not there.
void read_tie(std::optional<Tie>& tie, const Tie& found) noexcept {
  if (found.total != 0 && found.number != 0 && found.number <= found.total) tie = found;
}

}  // namespace

std::optional<UserDataHeader> read_header(std::span<const std::uint8_t> user_data) noexcept {
  if (user_data.empty() || user_data.size() - 1 < user_data[0]) return std::nullopt;
  UserDataHeader header{.octets = std::size_t{1} + user_data[0]};
  auto left = user_data.subspan(1, user_data[0]);
  while (!left.empty()) {
    if (left.size() < 2 || left.size() - 2 < left[1]) return std::nullopt;
    const std::uint8_t identifier = left[0];
    const auto element = left.subspan(2, left[1]);
    left = left.subspan(2 + element.size());
    if (identifier == kConcatenation8 && element.size() == 3) {
      read_tie(header.tie, {element[0], element[1], element[2]});
    } else if (identifier == kConcatenation16 && element.size() == 4) {
      const auto reference = static_cast<std::uint16_t>(element[0] << 8 | element[1]);
      read_tie(header.tie, {reference, element[2], element[3]});
    } else if (identifier == kSingleShift && element.size() == 1) {
      header.shifts.single = language_of(element[0], false);
    } else if (identifier == kLockingShift && element.size() == 1) {
      header.shifts.locking = language_of(element[0], true);
    }
  }
  return header;
}

std::size_t write_header(std::optional<Tie> tie, bool wide_reference, Shifts shifts,
                         std::span<std::uint8_t> out) noexcept {
  std::size_t at = 1;
  const auto put = [&](std::uint8_t octet) { out[at++] = octet; };
  if (tie && wide_reference) {
    put(kConcatenation16);
    put(4);
    put(static_cast<std::uint8_t>(tie->reference >> 8));
    put(static_cast<std::uint8_t>(tie->reference & 0xff));
  } else if (tie) {
    put(kConcatenation8);
    put(3);
    put(static_cast<std::uint8_t>(tie->reference & 0xff));
  }
  if (tie) {
    put(tie->total);
    put(tie->number);
  }
  const auto put_language = [&](std::uint8_t identifier, NationalLanguage language) {
    if (language == NationalLanguage::none) return;
    put(identifier);
    put(1);
    put(static_cast<std::uint8_t>(language));
  };
  put_language(kSingleShift, shifts.single);
  put_language(kLockingShift, shifts.locking);
  if (at == 1) return 0;
  out[0] = static_cast<std::uint8_t>(at - 1);
  return at;
}

}  // namespace stentor::encoding
