#include "protocol/receipt.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "protocol/gaps.h"
#include "protocol/octet_reader.h"
#include "protocol/receipt_pattern.h"

namespace stentor::protocol {
namespace {

static_assert(std::endian::native == std::endian::little,
              "load_eight() has the first octet lowest");

// Bits of esm_class, section 5.2.12.
constexpr std::uint8_t kDeliveryReceipt = 0x04;
constexpr std::uint8_t kSmeAcknowledgement = 0x08;
constexpr std::uint8_t kIntermediate = 0x20;
constexpr std::uint8_t kTypeMask = 0x3c;
constexpr std::uint8_t kStateMax = static_cast<std::uint8_t>(MessageState::skipped);

[[nodiscard]] constexpr char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

[[nodiscard]] bool starts_with_word(std::string_view text, std::string_view word) noexcept {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(),
                    [](char expected, char c) { return expected == upper(c); });
}

// The beginning of a text as one number, its first octet lowest; zeros behind a short one. Names
// and gaps are looked for eight octets at a time: that is most of what a receipt costs.
constexpr std::size_t kEight = sizeof(std::uint64_t);
constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = kOnes * 0x80;

[[nodiscard]] constexpr std::uint64_t eight_of(std::string_view text) noexcept {
  std::uint64_t eight = 0;
  for (std::size_t i = 0; i < std::min(text.size(), kEight); ++i) {
    eight |= std::uint64_t{static_cast<unsigned char>(text[i])} << 8 * i;
  }
  return eight;
}

[[nodiscard]] std::uint64_t load_eight(std::string_view text) noexcept {
  if (text.size() < kEight) return eight_of(text);
  std::uint64_t eight = 0;
  std::memcpy(&eight, text.data(), kEight);
  return eight;
}

// Small letters made capital: they are told by the high bits of two sums without a carry between
// octets.
[[nodiscard]] constexpr std::uint64_t upper_eight(std::uint64_t eight) noexcept {
  const std::uint64_t seven_bits = eight & ~kHighs;
  const std::uint64_t from_a = seven_bits + kOnes * (0x80 - 'a');
  const std::uint64_t beyond_z = seven_bits + kOnes * (0x7f - 'z');
  const std::uint64_t small = from_a & ~beyond_z & ~eight & kHighs;
  return eight - (small >> 2);
}
static_assert(upper_eight(eight_of("azAZ@[`{")) == eight_of("AZAZ@[`{"));

// Where the first gap is, or the end.
[[nodiscard]] std::size_t find_gap(std::string_view text) noexcept {
  constexpr std::uint64_t kFirstThatIsNone = kOnes * (' ' + 1);
  std::size_t at = 0;
  for (; text.size() - at >= kEight; at += kEight) {
    const std::uint64_t eight = load_eight(text.substr(at));
    // Octets below 0x21 borrow into their high bit; those above 0x7f have it and are none. A borrow
    // may run on into what follows a gap, never into what comes before it.
    const std::uint64_t gaps = (eight - kFirstThatIsNone) & ~eight & kHighs;
    if (gaps != 0) return at + static_cast<std::size_t>(std::countr_zero(gaps)) / 8;
  }
  while (at < text.size() && !is_gap(text[at])) ++at;
  return at;
}

// `stat` is cut and stretched in the field (DELIV, DELIVRD, DELIVERED, BUFFERD, BUFFRED), but four
// letters tell all words apart. They are compared as one number.
[[nodiscard]] constexpr std::uint32_t four_letters(std::string_view word) noexcept {
  std::uint32_t letters = 0;
  for (const char c : word.substr(0, 4)) {
    letters = letters << 8 | static_cast<unsigned char>(upper(c));
  }
  return letters;
}

[[nodiscard]] std::optional<MessageState> state_of(std::string_view stat) noexcept {
  if (stat.size() < 4) return std::nullopt;
  switch (four_letters(stat)) {
    case four_letters("DELIVRD"): return MessageState::delivered;
    case four_letters("UNDELIV"):
    case four_letters("FAILED"): return MessageState::undeliverable;
    case four_letters("EXPIRED"): return MessageState::expired;
    case four_letters("REJECTD"): return MessageState::rejected;
    case four_letters("ACCEPTD"):
    case four_letters("ACKED"): return MessageState::accepted;
    case four_letters("ENROUTE"):
    case four_letters("BUFFRED"): return MessageState::enroute;
    case four_letters("DELETED"): return MessageState::deleted;
    case four_letters("UNKNOWN"): return MessageState::unknown;
    case four_letters("SCHEDLD"): return MessageState::scheduled;
    case four_letters("SKIPPED"): return MessageState::skipped;
    default: return std::nullopt;  // a word of the carrier's own
  }
}

// The fields of the text form.
enum class Field : std::uint8_t { id, sub, dlvrd, submit_date, done_date, stat, err, text };
struct FieldName {
  constexpr FieldName(std::string_view words, Field which) noexcept
      : name(words),
        field(which),
        eight(eight_of(words)),
        mask(words.size() < kEight ? (std::uint64_t{1} << 8 * words.size()) - 1
                                   : ~std::uint64_t{0}) {}
  std::string_view name;
  Field field;
  std::uint64_t eight;  // the name's beginning
  std::uint64_t mask;   // and how much of a text's to compare with it
};
constexpr FieldName kId{"ID:", Field::id};
constexpr FieldName kSub{"SUB:", Field::sub};
constexpr FieldName kDlvrd{"DLVRD:", Field::dlvrd};
constexpr FieldName kSubmitDate{"SUBMIT DATE:", Field::submit_date};
constexpr FieldName kDoneDate{"DONE DATE:", Field::done_date};
constexpr FieldName kStat{"STAT:", Field::stat};
constexpr FieldName kErr{"ERR:", Field::err};
constexpr FieldName kText{"TEXT:", Field::text};

[[nodiscard]] const FieldName* field_at(std::string_view text) noexcept {
  const std::uint64_t eight = upper_eight(load_eight(text));
  const auto is = [&](const FieldName& name) {
    return (eight & name.mask) == name.eight &&
           (name.name.size() <= kEight || starts_with_word(text, name.name));
  };
  switch (static_cast<char>(eight & 0xff)) {
    case 'I': return is(kId) ? &kId : nullptr;
    case 'S':
      return is(kStat) ? &kStat : is(kSub) ? &kSub : is(kSubmitDate) ? &kSubmitDate : nullptr;
    case 'D': return is(kDoneDate) ? &kDoneDate : is(kDlvrd) ? &kDlvrd : nullptr;
    case 'E': return is(kErr) ? &kErr : nullptr;
    case 'T': return is(kText) ? &kText : nullptr;
    default: return nullptr;  // a value, or a word that is no field of ours
  }
}

void keep_first(std::string_view& kept, std::string_view value) noexcept {
  if (kept.empty()) kept = value;
}

// Reads `name:value` pairs from the front of `text`. It begins with a known name or is none of
// ours, and it ends at `text:`: what follows was written by whoever wrote the message, and may
// well say "id:" or "stat:" itself. Words that are no field of ours are passed over.
[[nodiscard]] ReceiptText read_text(std::string_view text) noexcept {
  ReceiptText fields;
  text = trimmed(text);
  if (field_at(text) == nullptr) return fields;
  while (!text.empty()) {
    const FieldName* name = field_at(text);
    if (name != nullptr) {
      if (name->field == Field::text) break;
      text.remove_prefix(name->name.size());
      while (!text.empty() && is_gap(text.front())) text.remove_prefix(1);
      // "err: text:": nothing was written, and the next field is no value.
      if (field_at(text) != nullptr) continue;
    }
    const std::size_t end = find_gap(text);
    const std::string_view value = text.substr(0, end);
    text.remove_prefix(end);
    while (!text.empty() && is_gap(text.front())) text.remove_prefix(1);
    if (name == nullptr) continue;
    switch (name->field) {
      case Field::id: keep_first(fields.id, value); break;
      case Field::stat: keep_first(fields.stat, value); break;
      case Field::err: keep_first(fields.err, value); break;
      case Field::done_date: keep_first(fields.done_date, value); break;
      case Field::sub: keep_first(fields.sub, value); break;
      case Field::dlvrd: keep_first(fields.dlvrd, value); break;
      case Field::submit_date: keep_first(fields.submit_date, value); break;
      case Field::text: break;
    }
  }
  return fields;
}

// What stands in front of the first "text:", in capitals or not.
[[nodiscard]] std::string_view before_text(std::string_view text) noexcept {
  std::size_t end = 0;
  while (end < text.size() && !starts_with_word(text.substr(end), kText.name)) ++end;
  return text.substr(0, end);
}

// Type and two octets by the standard (section 5.3.2.31); three ASCII digits from those who read
// another one.
[[nodiscard]] std::optional<std::uint32_t> network_error_of(
    std::span<const std::uint8_t> value) noexcept {
  if (value.size() != 3) return std::nullopt;
  const auto is_digit = [](std::uint8_t octet) { return octet >= '0' && octet <= '9'; };
  if (std::ranges::all_of(value, is_digit)) {
    return std::uint32_t{value[0]} * 100 + std::uint32_t{value[1]} * 10 + value[2] -
           std::uint32_t{'0'} * 111;
  }
  return std::uint32_t{value[0]} << 16 | std::uint32_t{value[1]} << 8 | value[2];
}

// With its NUL, without it, or padded with several (or with spaces).
[[nodiscard]] std::string_view c_octets_of(std::span<const std::uint8_t> value) noexcept {
  const std::string_view text = OctetReader::text_of(value);
  return trimmed(text.substr(0, text.find('\0')));
}

struct TlvFields {
  std::string_view id;
  std::optional<MessageState> state;
};

[[nodiscard]] TlvFields read_tlvs(const Tlvs& tlvs, Receipt& receipt) noexcept {
  TlvFields fields;
  for (const Tlv tlv : tlvs) {
    switch (tlv.tag) {
      case tag::kReceiptedMessageId: keep_first(fields.id, c_octets_of(tlv.value)); break;
      case tag::kMessageState:
        if (tlv.value.size() != 1) break;
        receipt.message_state = tlv.value[0];
        if (tlv.value[0] <= kStateMax) fields.state = static_cast<MessageState>(tlv.value[0]);
        break;
      case tag::kNetworkErrorCode: receipt.network_error_code = network_error_of(tlv.value); break;
      case tag::kUserMessageReference:
        if (tlv.value.size() == 2) {
          receipt.user_message_reference =
              static_cast<std::uint16_t>(tlv.value[0] << 8 | tlv.value[1]);
        }
        break;
      default: break;  // a TLV that tells nothing of a message's fate
    }
  }
  return fields;
}

[[nodiscard]] std::string_view text_of(const DeliverSm& deliver) noexcept {
  OctetReader reader(user_data_of(deliver));
  if ((deliver.esm_class & kUserDataHeaderIndicator) != 0) {
    const std::uint8_t header_octets = reader.u8();
    // Some set the bit and send no header: the text then begins with a letter, which as a length
    // would leave nothing. A header that does not fit is no header.
    if (header_octets >= reader.rest().size()) {
      return OctetReader::text_of(user_data_of(deliver));
    }
    (void)reader.take(header_octets);
  }
  return OctetReader::text_of(reader.rest());
}

[[nodiscard]] Receipt whole_receipt_of(const DeliverSm& deliver, const ReceiptText& text) noexcept {
  Receipt receipt;
  const TlvFields tlv = read_tlvs(deliver.tlvs, receipt);
  receipt.message_id = tlv.id.empty() ? text.id : tlv.id;
  receipt.source = deliver.source.digits;
  receipt.destination = deliver.destination.digits;
  receipt.stat = text.stat;
  receipt.err = text.err;
  receipt.done_date = text.done_date;
  receipt.submit_date = text.submit_date;
  receipt.sub = text.sub;
  receipt.dlvrd = text.dlvrd;
  receipt.is_intermediate = (deliver.esm_class & kIntermediate) != 0;
  receipt.state = tlv.state.value_or(state_of(text.stat).value_or(MessageState::unknown));
  return receipt;
}

[[nodiscard]] std::optional<Receipt> receipt_of(const DeliverSm& deliver,
                                                const ReceiptText& text) noexcept {
  const Receipt receipt = whole_receipt_of(deliver, text);
  if (receipt.message_id.empty() && !receipt.user_message_reference) return std::nullopt;
  return receipt;
}

}  // namespace

bool is_receipt(std::uint8_t esm_class) noexcept {
  if ((esm_class & (kDeliveryReceipt | kIntermediate)) != 0) return true;
  // Not 0x18, a conversation abort, nor 0x10, an answer that a person typed.
  return (esm_class & kTypeMask) == kSmeAcknowledgement;
}

ReceiptVerdict verdict_of(MessageState state) noexcept {
  switch (state) {
    case MessageState::scheduled:
    case MessageState::enroute:
    case MessageState::accepted: return ReceiptVerdict::intermediate;
    case MessageState::delivered: return ReceiptVerdict::delivered;
    case MessageState::expired: return ReceiptVerdict::expired;
    case MessageState::deleted:
    case MessageState::undeliverable:
    case MessageState::rejected:
    case MessageState::skipped: return ReceiptVerdict::failed;
    case MessageState::unknown: break;
  }
  return ReceiptVerdict::unknown;
}

std::string_view name_of(MessageState state) noexcept {
  switch (state) {
    case MessageState::scheduled: return "SCHEDULED";
    case MessageState::enroute: return "ENROUTE";
    case MessageState::delivered: return "DELIVRD";
    case MessageState::expired: return "EXPIRED";
    case MessageState::deleted: return "DELETED";
    case MessageState::undeliverable: return "UNDELIV";
    case MessageState::accepted: return "ACCEPTD";
    case MessageState::unknown: break;
    case MessageState::rejected: return "REJECTD";
    case MessageState::skipped: return "SKIPPED";
  }
  return "UNKNOWN";
}

std::optional<Receipt> parse_receipt(const DeliverSm& deliver) noexcept {
  return receipt_of(deliver, read_text(text_of(deliver)));
}

std::optional<Receipt> parse_receipt(const DeliverSm& deliver,
                                     const ReceiptPattern& pattern) noexcept {
  const auto text = pattern.match(text_of(deliver));
  return text ? receipt_of(deliver, *text) : parse_receipt(deliver);
}

Receipt nameless_receipt(const DeliverSm& deliver) noexcept {
  const std::string_view text = text_of(deliver);
  Receipt receipt = whole_receipt_of(deliver, read_text(text));
  receipt.message_id = {};
  // Behind "text:" stands the message's own text, which is nobody's business here.
  const std::string_view words = before_text(text);
  receipt.stat = (receipt.stat.empty() ? words : receipt.stat).substr(0, kNamelessOctets);
  receipt.err = receipt.err.substr(0, kNamelessOctets);
  return receipt;
}

}  // namespace stentor::protocol
