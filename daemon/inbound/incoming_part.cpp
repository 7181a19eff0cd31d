#include "daemon/inbound/incoming_part.h"

#include <utility>

#include "daemon/delivery/addresses.h"
#include "encoding/user_data_header.h"
#include "protocol/address.h"

namespace stentor::daemon {
namespace {

using encoding::Alphabet;

constexpr std::uint8_t kUserDataHeader = 0x40;  // SMPP 3.4 section 5.2.12
constexpr std::uint8_t kInternational = 1;      // section 5.2.5
constexpr std::uint8_t kNationalTon = 2;
constexpr std::uint8_t kUnknown = 0;
constexpr std::size_t kShortCodeDigitsMax = 8;

bool is_all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Addresses are octets; those beyond ASCII are Latin-1 in the field.
std::string utf8_of_latin1(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      text.push_back(c);
    } else {
      text.push_back(static_cast<char>(0xc0 | octet >> 6));
      text.push_back(static_cast<char>(0x80 | (octet & 0x3f)));
    }
  }
  return text;
}

// Bits 3 and 2 of the general and the data coding group, TS 23.038 section 4.
std::optional<Alphabet> by_alphabet_bits(std::uint8_t data_coding, Alphabet of_default) {
  switch (data_coding >> 2 & 3) {
    case 0: return of_default;
    case 2: return Alphabet::ucs2;
    default: return std::nullopt;
  }
}

// What the carrier's configuration says of a code counts before what the standards say.
std::optional<Alphabet> alphabet_of(std::uint8_t data_coding, const CarrierConfig& carrier) {
  for (std::size_t i = 0; i < carrier.alphabets.size(); ++i) {
    if (carrier.data_codings[i] == data_coding) return carrier.alphabets[i];
  }
  switch (data_coding) {  // SMPP 3.4 section 5.2.19
    case 0: return carrier.alphabets.empty() ? Alphabet::gsm7 : carrier.alphabets.front();
    case 1: return Alphabet::ascii;
    case 3: return Alphabet::latin1;
    case 8: return Alphabet::ucs2;
    default: break;
  }
  if (data_coding >= 0xf0) {  // data coding, message class
    if ((data_coding & 4) != 0) return std::nullopt;
    return Alphabet::gsm7;
  }
  if (data_coding >= 0xe0) return Alphabet::ucs2;  // message waiting, store, UCS-2
  if (data_coding >= 0xc0) return Alphabet::gsm7;  // message waiting
  if (data_coding >= 0x10 && data_coding < 0x40) {
    return by_alphabet_bits(data_coding, Alphabet::gsm7);
  }
  return std::nullopt;  // 2 and 4 are octets; JIS and its kin have no decoder here
}

std::uint64_t number_of(const protocol::Tlv& tlv) {
  std::uint64_t value = 0;
  if (tlv.value.size() > sizeof value) return 0;
  for (const std::uint8_t octet : tlv.value) value = value << 8 | octet;
  return value;
}

std::optional<encoding::Tie> tie_of_tlvs(const protocol::Tlvs& tlvs) {
  const protocol::Tlv reference = tlvs.find(protocol::tag::kSarMsgRefNum);
  const protocol::Tlv total = tlvs.find(protocol::tag::kSarTotalSegments);
  const protocol::Tlv number = tlvs.find(protocol::tag::kSarSegmentSeqnum);
  if (reference.tag == 0 || total.tag == 0 || number.tag == 0) return std::nullopt;
  return encoding::Tie{.reference = static_cast<std::uint16_t>(number_of(reference)),
                       .total = static_cast<std::uint8_t>(number_of(total)),
                       .number = static_cast<std::uint8_t>(number_of(number))};
}

// Called national, or with a trunk prefix and nothing said: some country's, and not kept with `+`.
bool is_written_nationally(const protocol::Address& address) {
  if (!is_all_digits(address.digits)) return false;
  const std::uint8_t ton = address.numbering.ton;
  return ton == kNationalTon ||
         (ton == kUnknown && protocol::form_of(address.digits) == protocol::AddressForm::national);
}

}  // namespace

std::string kept_address(const protocol::Address& address) {
  std::string_view digits = address.digits;
  const bool has_plus = digits.starts_with('+');
  if (has_plus) digits.remove_prefix(1);
  if (!is_all_digits(digits)) return utf8_of_latin1(address.digits);
  const std::uint8_t ton = address.numbering.ton;
  // The prefix by which one dials abroad: a country code begins with no 0 (ITU-T E.164). A national
  // number (TON 2) stays as it is: which country's it is the address does not say.
  const bool may_be_abroad = has_plus || ton == kInternational || ton == kUnknown;
  const bool has_prefix =
      may_be_abroad && digits.starts_with("00") && digits.size() > kShortCodeDigitsMax + 2;
  if (has_prefix) digits.remove_prefix(2);
  const bool is_international =
      has_plus || has_prefix || ton == kInternational ||
      (ton == kUnknown && digits.size() > kShortCodeDigitsMax && digits.front() != '0');
  std::string kept(is_international ? "+" : "");
  return kept.append(digits);
}

IncomingPart read_incoming(const protocol::DeliverSm& deliver, const CarrierConfig& carrier) {
  IncomingPart part;
  part.from = kept_address(deliver.source);
  part.to = kept_address(deliver.destination);
  // What is sent to such a carrier in national form comes back in it: its rules say of which
  // number.
  if (is_written_nationally(deliver.source)) {
    auto known = international_of(deliver.source.digits, carrier.rewrite);
    part.fits_no_send = !known.has_value();
    if (known) part.from = std::move(*known);
  }
  const bool may_be_short = deliver.destination.digits.size() <= kShortCodeDigitsMax;
  if (!may_be_short && is_written_nationally(deliver.destination)) {
    auto known = international_of(deliver.destination.digits, carrier.rewrite_source);
    if (known) part.to = std::move(*known);
  }
  part.alphabet = alphabet_of(deliver.data_coding, carrier);
  part.has_header = (deliver.esm_class & kUserDataHeader) != 0;
  const auto user_data = protocol::user_data_of(deliver);
  part.user_data.assign(user_data.begin(), user_data.end());
  std::optional<encoding::Tie> tie;
  if (part.has_header) {
    const auto header = encoding::read_header(user_data);
    if (header) tie = header->tie;
  }
  if (!tie) tie = tie_of_tlvs(deliver.tlvs);
  if (tie && tie->total > 1 && tie->number >= 1 && tie->number <= tie->total) part.tie = *tie;
  return part;
}

}  // namespace stentor::daemon
