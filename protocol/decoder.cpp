#include "protocol/decoder.h"

#include "protocol/field_limits.h"
#include "protocol/octet_reader.h"

namespace stentor::protocol {
namespace {

// system_id and password: the standard says 15 and 8, some servers allow more. Where we are the
// server (the simulator) what comes is compared, not kept, so this bound only has to be finite.
constexpr std::size_t kCredentialMax = 64;

constexpr std::uint8_t kUcs2 = 0x08;  // section 5.2.19

OctetReader body_of(std::span<const std::uint8_t> pdu) noexcept {
  OctetReader reader(pdu);
  (void)reader.take(kHeaderOctets);
  return reader;
}

std::string_view read_text(OctetReader& reader, std::size_t octets_max,
                           TextBounds bounds) noexcept {
  return bounds == TextBounds::standard ? reader.c_octets(octets_max)
                                        : reader.c_octets_of_any_length(octets_max);
}

Address read_address(OctetReader& reader, std::size_t octets_max,
                     TextBounds bounds = TextBounds::standard) noexcept {
  Address address;
  address.numbering.ton = reader.u8();
  address.numbering.npi = reader.u8();
  address.digits =
      read_text(reader, bounds == TextBounds::standard ? octets_max : kDataAddressMax, bounds);
  return address;
}

// Walks the optional parameters once, so that Tlvs may iterate without a check.
Tlvs read_tlvs(OctetReader& reader) noexcept {
  const auto octets = reader.rest();
  for (std::size_t count = 0; !reader.rest().empty(); ++count) {
    if (count == kTlvsMax) {
      reader.fail(CodecError::too_many_tlvs);
      break;
    }
    (void)reader.u16();
    (void)reader.take(reader.u16());
  }
  return reader.error() ? Tlvs() : Tlvs(octets);
}

// Whether the PDU is a response that may have TLVs, and then past the fields in front of them.
bool skip_fields(CommandId command_id, OctetReader& reader) noexcept {
  switch (command_id) {
    case CommandId::bind_receiver_resp:
    case CommandId::bind_transmitter_resp:
    case CommandId::bind_transceiver_resp:
    case CommandId::submit_sm_resp:
    case CommandId::deliver_sm_resp:
    case CommandId::data_sm_resp:
      if (!reader.rest().empty()) (void)reader.c_octets(kPduOctetsMax);
      return true;
    case CommandId::query_sm_resp:
      if (reader.rest().empty()) return true;
      (void)reader.c_octets(kPduOctetsMax);  // message_id
      (void)reader.c_octets(kPduOctetsMax);  // final_date
      (void)reader.take(2);                  // message_state, error_code
      return true;
    case CommandId::generic_nack:
    case CommandId::unbind_resp:
    case CommandId::replace_sm_resp:
    case CommandId::cancel_sm_resp:
    case CommandId::enquire_link_resp: return true;
    case CommandId::submit_multi_resp:  // a list of addresses stands before them: we ask for none
    case CommandId::bind_receiver:
    case CommandId::bind_transmitter:
    case CommandId::query_sm:
    case CommandId::submit_sm:
    case CommandId::deliver_sm:
    case CommandId::unbind:
    case CommandId::replace_sm:
    case CommandId::cancel_sm:
    case CommandId::bind_transceiver:
    case CommandId::outbind:
    case CommandId::enquire_link:
    case CommandId::submit_multi:
    case CommandId::alert_notification:
    case CommandId::data_sm: break;
  }
  return false;
}

// Hands the value out or says why there is none; the value was filled in place.
template <class T>
void settle(result<T>& decoded, const OctetReader& reader) noexcept {
  if (const auto error = reader.error()) decoded = std::unexpected(make_error_code(*error));
}

}  // namespace

result<std::size_t> front_pdu_octets(std::span<const std::uint8_t> octets,
                                     std::size_t limit) noexcept {
  if (octets.size() < 4) return std::size_t{0};
  const std::size_t length = std::size_t{octets[0]} << 24 | std::size_t{octets[1]} << 16 |
                             std::size_t{octets[2]} << 8 | std::size_t{octets[3]};
  if (length < kHeaderOctets || length > limit) {
    return std::unexpected(make_error_code(CodecError::bad_length));
  }
  return length;
}

result<ShortMessage> decode_short_message(std::span<const std::uint8_t> pdu,
                                          TextBounds bounds) noexcept {
  OctetReader reader = body_of(pdu);
  result<ShortMessage> decoded;
  decoded->service_type = read_text(reader, kServiceTypeMax, bounds);
  decoded->source = read_address(reader, kAddressMax, bounds);
  decoded->destination = read_address(reader, kAddressMax, bounds);
  decoded->esm_class = reader.u8();
  decoded->protocol_id = reader.u8();
  decoded->priority_flag = reader.u8();
  decoded->schedule_delivery_time = read_text(reader, kTimeMax, bounds);
  decoded->validity_period = read_text(reader, kTimeMax, bounds);
  decoded->registered_delivery = reader.u8();
  decoded->replace_if_present_flag = reader.u8();
  decoded->data_coding = reader.u8();
  decoded->sm_default_msg_id = reader.u8();
  const std::size_t sm_length = reader.u8();
  if (sm_length > kShortMessageMax) reader.fail(CodecError::truncated);
  decoded->short_message = reader.take(sm_length);
  decoded->tlvs = read_tlvs(reader);
  settle(decoded, reader);
  return decoded;
}

result<ShortMessage> decode_data_sm(std::span<const std::uint8_t> pdu, TextBounds bounds) noexcept {
  OctetReader reader = body_of(pdu);
  result<ShortMessage> decoded;
  decoded->service_type = read_text(reader, kServiceTypeMax, bounds);
  decoded->source = read_address(reader, kDataAddressMax, bounds);
  decoded->destination = read_address(reader, kDataAddressMax, bounds);
  decoded->esm_class = reader.u8();
  decoded->registered_delivery = reader.u8();
  decoded->data_coding = reader.u8();
  decoded->tlvs = read_tlvs(reader);
  settle(decoded, reader);
  return decoded;
}

result<std::string_view> decode_submit_resp(std::span<const std::uint8_t> pdu) noexcept {
  OctetReader reader = body_of(pdu);
  result<std::string_view> decoded;
  if (!reader.rest().empty()) *decoded = reader.c_octets(kPduOctetsMax);
  settle(decoded, reader);
  return decoded;
}

result<Tlvs> decode_response_tlvs(std::span<const std::uint8_t> pdu) noexcept {
  OctetReader reader = body_of(pdu);
  result<Tlvs> decoded;
  if (!reader.error() && skip_fields(decode_header(pdu).command_id, reader)) {
    *decoded = read_tlvs(reader);
  }
  settle(decoded, reader);
  return decoded;
}

result<Bind> decode_bind(std::span<const std::uint8_t> pdu) noexcept {
  OctetReader reader = body_of(pdu);
  result<Bind> decoded;
  if (!reader.error()) {
    const CommandId command_id = decode_header(pdu).command_id;
    if (command_id == CommandId::bind_transmitter) {
      decoded->type = BindType::transmitter;
    } else if (command_id == CommandId::bind_receiver) {
      decoded->type = BindType::receiver;
    } else if (command_id == CommandId::bind_transceiver) {
      decoded->type = BindType::transceiver;
    } else {
      reader.fail(CodecError::unknown_command);
    }
  }
  decoded->system_id = reader.c_octets(kCredentialMax);
  decoded->password = reader.c_octets(kCredentialMax);
  decoded->system_type = reader.c_octets(kSystemTypeMax);
  decoded->interface_version = reader.u8();
  decoded->numbering.ton = reader.u8();
  decoded->numbering.npi = reader.u8();
  decoded->address_range = reader.c_octets(kAddressRangeMax);
  settle(decoded, reader);
  return decoded;
}

result<BindResp> decode_bind_resp(std::span<const std::uint8_t> pdu) noexcept {
  OctetReader reader = body_of(pdu);
  result<BindResp> decoded;
  if (!reader.rest().empty()) {
    decoded->system_id = reader.c_octets(kCredentialMax);
    const Tlv version = read_tlvs(reader).find(tag::kScInterfaceVersion);
    if (version.value.size() == 1) decoded->interface_version = version.value[0];
  }
  settle(decoded, reader);
  return decoded;
}

result<QuerySm> decode_query_sm(std::span<const std::uint8_t> pdu) noexcept {
  OctetReader reader = body_of(pdu);
  result<QuerySm> decoded;
  decoded->message_id = reader.c_octets(kMessageIdMax);
  decoded->source = read_address(reader, kAddressMax);
  settle(decoded, reader);
  return decoded;
}

result<QueryResp> decode_query_resp(std::span<const std::uint8_t> pdu) noexcept {
  OctetReader reader = body_of(pdu);
  result<QueryResp> decoded;
  if (!reader.rest().empty()) {
    decoded->message_id = reader.c_octets(kPduOctetsMax);
    decoded->final_date = reader.c_octets_of_any_length(kTimeMax);  // its state is what counts
    decoded->message_state = reader.u8();
    decoded->error_code = reader.u8();
  }
  settle(decoded, reader);
  return decoded;
}

result<CancelSm> decode_cancel_sm(std::span<const std::uint8_t> pdu) noexcept {
  OctetReader reader = body_of(pdu);
  result<CancelSm> decoded;
  decoded->service_type = reader.c_octets(kServiceTypeMax);
  decoded->message_id = reader.c_octets(kMessageIdMax);
  decoded->source = read_address(reader, kAddressMax);
  decoded->destination = read_address(reader, kAddressMax);
  settle(decoded, reader);
  return decoded;
}

result<AlertNotification> decode_alert_notification(std::span<const std::uint8_t> pdu) noexcept {
  OctetReader reader = body_of(pdu);
  result<AlertNotification> decoded;
  decoded->source = read_address(reader, kDataAddressMax);
  decoded->esme = read_address(reader, kDataAddressMax);
  decoded->tlvs = read_tlvs(reader);
  settle(decoded, reader);
  return decoded;
}

result<Outbind> decode_outbind(std::span<const std::uint8_t> pdu) noexcept {
  OctetReader reader = body_of(pdu);
  result<Outbind> decoded;
  decoded->system_id = reader.c_octets(kCredentialMax);
  decoded->password = reader.c_octets(kCredentialMax);
  settle(decoded, reader);
  return decoded;
}

result<void> check_user_data(const ShortMessage& message) noexcept {
  OctetReader reader(user_data_of(message));
  if ((message.esm_class & kUserDataHeaderIndicator) != 0) (void)reader.take(reader.u8());
  const bool is_split_unit = message.data_coding == kUcs2 && reader.rest().size() % 2 != 0;
  if (reader.error() || is_split_unit) {
    return std::unexpected(make_error_code(CodecError::truncated));
  }
  return {};
}

}  // namespace stentor::protocol
