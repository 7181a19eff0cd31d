// Reads PDUs in place, from a client or from a server: what is decoded views the octets given.
//
// First front_pdu_octets() cuts a stream into PDUs, then decode_header() says which one it is, then
// the decoder of its kind reads the body. Every decoder takes the whole PDU, header included, and
// bounds each field by one checked take (octet_reader.h).
//
// Units    Octets. `pdu` is one whole PDU: its size is its command_length.
// Owns     Nothing, allocates nothing.
// Errors   CodecError as a value; a decoder never reads past the span it was given.
// Threads  Pure functions.
// Spec     SMPP 3.4 section 3.2 (format), section 4 (PDUs), section 5.3 (TLVs).
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/error.h"
#include "protocol/pdu.h"

namespace stentor::protocol {

/// How long the PDU at the front of `octets` is; 0 while there are too few octets to tell. The
/// PDU is whole when `octets` has at least that many.
///
/// Fails with bad_length, from the four octets of command_length alone, when it is under 16 or
/// over `limit`: framing is lost and nothing that follows can be believed.
[[nodiscard]] result<std::size_t> front_pdu_octets(std::span<const std::uint8_t> octets,
                                                   std::size_t limit = kPduOctetsMax) noexcept;

/// The first 16 octets. `pdu` has at least those.
[[nodiscard]] inline Header decode_header(std::span<const std::uint8_t> pdu) noexcept {
  assert(pdu.size() >= kHeaderOctets && "a header is decoded from a whole header");
  const auto word = [&](std::size_t at) {
    return std::uint32_t{pdu[at]} << 24 | std::uint32_t{pdu[at + 1]} << 16 |
           std::uint32_t{pdu[at + 2]} << 8 | std::uint32_t{pdu[at + 3]};
  };
  return {.command_length = word(0),
          .command_id = static_cast<CommandId>(word(4)),
          .command_status = static_cast<CommandStatus>(word(8)),
          .sequence_number = word(12)};
}

/// How long the texts of a message may be: service_type, addresses, times.
enum class TextBounds : std::uint8_t {
  standard,  ///< as section 5.2 has it; a longer one is unterminated_string
  /// Whatever ends within the PDU, since its framing is intact. Refusing it makes some carriers
  /// send it for ever. What is longer than the standard has it reads as empty, save addresses,
  /// which are kept up to 64 octets (as data_sm has them).
  lenient
};

/// submit_sm and deliver_sm. TLVs are checked here: at most kTlvsMax, none past the end.
[[nodiscard]] result<ShortMessage> decode_short_message(
    std::span<const std::uint8_t> pdu, TextBounds bounds = TextBounds::standard) noexcept;

/// data_sm, as a short message without short_message: its text is the message_payload TLV, and
/// user_data_of() finds it. Addresses may have up to 64 octets here (section 4.7.1).
[[nodiscard]] result<ShortMessage> decode_data_sm(
    std::span<const std::uint8_t> pdu, TextBounds bounds = TextBounds::standard) noexcept;

/// The message_id of submit_sm_resp or data_sm_resp, of any length: empty where the body is absent
/// or begins with NUL, whatever the status. What follows the id is passed over.
[[nodiscard]] result<std::string_view> decode_submit_resp(
    std::span<const std::uint8_t> pdu) noexcept;

/// What stands behind the fields of a response of any kind that we know, save submit_multi_resp: a
/// 5.0 peer's congestion_state, why a message was refused. None in other PDUs.
[[nodiscard]] result<Tlvs> decode_response_tlvs(std::span<const std::uint8_t> pdu) noexcept;

/// bind_transmitter, bind_receiver, bind_transceiver.
[[nodiscard]] result<Bind> decode_bind(std::span<const std::uint8_t> pdu) noexcept;
/// Their responses. An absent body decodes to an empty one: refusals come without.
[[nodiscard]] result<BindResp> decode_bind_resp(std::span<const std::uint8_t> pdu) noexcept;

[[nodiscard]] result<QuerySm> decode_query_sm(std::span<const std::uint8_t> pdu) noexcept;
[[nodiscard]] result<QueryResp> decode_query_resp(std::span<const std::uint8_t> pdu) noexcept;
[[nodiscard]] result<CancelSm> decode_cancel_sm(std::span<const std::uint8_t> pdu) noexcept;

[[nodiscard]] result<AlertNotification> decode_alert_notification(
    std::span<const std::uint8_t> pdu) noexcept;
[[nodiscard]] result<Outbind> decode_outbind(std::span<const std::uint8_t> pdu) noexcept;

/// Whether the user data can be what esm_class and data_coding say it is: a user-data header that
/// is announced is there and fits, UTF-16 has an even number of octets behind it. Fails with
/// truncated. Receipts are not asked: nobody decodes their text.
[[nodiscard]] result<void> check_user_data(const ShortMessage& message) noexcept;

}  // namespace stentor::protocol
