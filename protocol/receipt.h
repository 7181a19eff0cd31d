// What a delivery receipt says, whichever of its many shapes it came in.
//
// TLVs are believed first, then the text. The parser takes every shape met in the field: missing
// fields, other date lengths, other words, upper and lower case, text in message_payload.
//
// Units    Dates stay texts: their zone is unspecified.
// Owns     Nothing: views into the PDU.
// Errors   A receipt with neither an id nor a user_message_reference is an ordinary "no" (nullopt).
// Threads  Pure functions.
// Spec     SMPP 3.4 section 5.2.12 (esm_class), 5.2.28 (message_state), appendix B (text form).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/pdu.h"

namespace stentor::protocol {

class ReceiptPattern;  // receipt_pattern.h

/// message_state, section 5.2.28; the text's `stat` is mapped onto it.
enum class MessageState : std::uint8_t {
  scheduled = 0,  // SMPP 5.0
  enroute = 1,
  delivered = 2,
  expired = 3,
  deleted = 4,
  undeliverable = 5,
  accepted = 6,
  unknown = 7,
  rejected = 8,
  skipped = 9  // SMPP 5.0
};

/// What the state means for the message.
enum class ReceiptVerdict : std::uint8_t { intermediate, delivered, failed, expired, unknown };
[[nodiscard]] ReceiptVerdict verdict_of(MessageState state) noexcept;
[[nodiscard]] std::string_view name_of(MessageState state) noexcept;  ///< "DELIVRD", "UNDELIV", …

struct Receipt {
  std::string_view message_id;  ///< as the SMSC wrote it; empty: there is the reference alone
  MessageState state = MessageState::unknown;
  bool is_intermediate = false;               ///< esm_class says intermediate notification
  std::optional<std::uint8_t> message_state;  ///< the TLV's octet, whatever it is
  std::string_view stat;                      ///< the text's word; empty when only the TLV told
  std::string_view err;                       ///< the text's error, or empty
  std::optional<std::uint32_t> network_error_code;  ///< of the TLV: type << 16 | code
  std::optional<std::uint16_t> user_message_reference;
  std::string_view done_date;
  std::string_view submit_date;
  std::string_view sub;          ///< the text's count of what was submitted, and
  std::string_view dlvrd;        ///< of what was delivered
  std::string_view source;       ///< the PDU's: the handset that is reported on
  std::string_view destination;  ///< the PDU's: who sent the message
};

/// What it means, however it says that it is not the last word.
[[nodiscard]] inline ReceiptVerdict verdict_of(const Receipt& receipt) noexcept {
  return receipt.is_intermediate ? ReceiptVerdict::intermediate : verdict_of(receipt.state);
}

/// True when esm_class marks the PDU as a receipt (delivery, SME or intermediate), not a reply.
/// Bits are masked: 0x44 is a receipt with a user-data header.
[[nodiscard]] bool is_receipt(std::uint8_t esm_class) noexcept;

/// Nothing when the PDU names no message in any known way.
[[nodiscard]] std::optional<Receipt> parse_receipt(const DeliverSm& deliver) noexcept;
/// The same for a carrier with a form of its own; the usual form where the pattern does not fit.
[[nodiscard]] std::optional<Receipt> parse_receipt(const DeliverSm& deliver,
                                                   const ReceiptPattern& pattern) noexcept;
/// What is left of one that names no message: its state, numbers and dates; where no word tells the
/// state, `stat` is the beginning of its text. Its id is empty, its words have kNamelessOctets at
/// most.
[[nodiscard]] Receipt nameless_receipt(const DeliverSm& deliver) noexcept;
inline constexpr std::size_t kNamelessOctets = 80;

}  // namespace stentor::protocol
