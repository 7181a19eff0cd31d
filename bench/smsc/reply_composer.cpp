#include "bench/smsc/reply_composer.h"

#include <array>
#include <cassert>
#include <span>
#include <stdexcept>
#include <string_view>

namespace stentor::smsc {
namespace {

constexpr std::uint8_t kUcs2 = 0x08;            // SMPP 3.4 section 5.2.19
constexpr std::uint8_t kUserDataHeader = 0x40;  // SMPP 3.4 section 5.2.12
constexpr std::size_t kPartsMax = 255;

// Characters with one number in ASCII and in the GSM 7-bit alphabet; all others go as UCS-2.
bool is_plain(std::string_view text) {
  constexpr std::string_view kPunctuation = " !\"#%&'()*+,-./:;<=>?\n\r";
  for (const char c : text) {
    const bool is_alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!is_alphanumeric && kPunctuation.find(c) == std::string_view::npos) return false;
  }
  return true;
}

std::u16string utf16_of(std::string_view text) {
  std::u16string units;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[at]);
    const std::size_t octets = lead < 0x80                    ? 1
                               : lead >= 0xc2 && lead <= 0xdf ? 2
                               : lead >= 0xe0 && lead <= 0xef ? 3
                               : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                              : 0;
    if (octets == 0 || at + octets > text.size()) throw std::invalid_argument("not UTF-8");
    std::uint32_t code_point = octets == 1 ? lead : lead & (0x7fu >> octets);
    for (std::size_t i = 1; i < octets; ++i) {
      const auto octet = static_cast<std::uint8_t>(text[at + i]);
      if ((octet & 0xc0) != 0x80) throw std::invalid_argument("not UTF-8");
      code_point = code_point << 6 | (octet & 0x3fu);
    }
    at += octets;
    if (code_point > 0xffff) {
      code_point -= 0x10000;
      units.push_back(static_cast<char16_t>(0xd800 + (code_point >> 10)));
      units.push_back(static_cast<char16_t>(0xdc00 + (code_point & 0x3ff)));
    } else {
      units.push_back(static_cast<char16_t>(code_point));
    }
  }
  return units;
}

// Calls `part` with ranges of at most `alone`, or else of at most `together` units each.
template <class Part>
void cut(std::u16string_view units, std::size_t alone, std::size_t together, Part&& part) {
  if (units.size() <= alone) return part(units);
  while (!units.empty()) {
    std::size_t count = std::min(units.size(), together);
    // A surrogate pair that does not fit moves whole into the next part.
    if (count < units.size() && (units[count - 1] & 0xfc00) == 0xd800) --count;
    part(units.substr(0, count));
    units.remove_prefix(count);
  }
}

}  // namespace

ReplyComposer::ReplyComposer(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    Text& composed = texts_.emplace_back();
    const std::u16string units = utf16_of(text);
    if (is_plain(text)) {
      cut(units, 160, 153,
          [&](std::u16string_view part) { composed.parts.emplace_back(part.begin(), part.end()); });
    } else {
      composed.data_coding = kUcs2;
      cut(units, 70, 67, [&](std::u16string_view part) {
        protocol::Octets& octets = composed.parts.emplace_back();
        for (const char16_t unit : part) {
          octets.push_back(static_cast<std::uint8_t>(unit >> 8));
          octets.push_back(static_cast<std::uint8_t>(unit));
        }
      });
    }
    if (composed.parts.size() > kPartsMax) throw std::invalid_argument("over 255 parts");
  }
}

void ReplyComposer::append(protocol::Octets& out, std::uint32_t sequence_number,
                           const Delivery& delivery) {
  const Text& text = texts_[delivery.reply];
  protocol::DeliverSm deliver;
  deliver.source = delivery.destination.view();
  deliver.destination = delivery.source.view();
  deliver.data_coding = text.data_coding;
  deliver.short_message = text.parts[delivery.reply_part];
  const std::array<std::uint8_t, 6> header{5,
                                           0,
                                           3,
                                           static_cast<std::uint8_t>(delivery.message_number),
                                           static_cast<std::uint8_t>(text.parts.size()),
                                           static_cast<std::uint8_t>(delivery.reply_part + 1)};
  if (text.parts.size() > 1) {
    deliver.esm_class = kUserDataHeader;
    deliver.user_data_header = header;
  }
  const auto appended = protocol::append_deliver_sm(out, sequence_number, deliver);
  assert(appended && "every field of a reply fits");
  (void)appended;
}

}  // namespace stentor::smsc
