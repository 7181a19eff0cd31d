#include "protocol/encoder.h"

#include <cassert>
#include <cstring>

#include "protocol/field_limits.h"

namespace stentor::protocol {
namespace {

constexpr std::size_t kTlvHeaderOctets = 4;
constexpr std::size_t kTlvValueMax = 0xffff;

// Writes into octets that were counted before: what it is given always fits.
class Writer {
 public:
  // Opens `octets` more at the end of `out`, which is then one whole PDU with this header.
  Writer(Octets& out, std::size_t octets, CommandId command_id, CommandStatus status,
         std::uint32_t sequence_number)
      : at_((out.resize(out.size() + octets), out.data() + out.size() - octets)),
        end_(at_ + octets) {
    u32(static_cast<std::uint32_t>(octets));
    u32(static_cast<std::uint32_t>(command_id));
    u32(static_cast<std::uint32_t>(status));
    u32(sequence_number);
  }
  ~Writer() { assert(at_ == end_ && "a PDU is as long as it was counted"); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void u8(std::uint8_t value) noexcept { *at_++ = value; }
  void u16(std::uint16_t value) noexcept {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
  }
  void u32(std::uint32_t value) noexcept {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value));
  }
  void octets(const void* from, std::size_t count) noexcept {
    if (count != 0) std::memcpy(at_, from, count);
    at_ += count;
  }
  void octets(std::span<const std::uint8_t> from) noexcept { octets(from.data(), from.size()); }
  void c_octets(std::string_view text) noexcept {
    octets(text.data(), text.size());
    u8(0);
  }
  void address(const Address& address) noexcept {
    u8(address.numbering.ton);
    u8(address.numbering.npi);
    c_octets(address.digits);
  }

 private:
  std::uint8_t* at_;
  std::uint8_t* end_;
};

constexpr std::size_t kAddressFixedOctets = 3;  // ton, npi, NUL

result<void> append_short_message(Octets& out, CommandId command_id, std::uint32_t sequence_number,
                                  const ShortMessage& message) {
  const std::size_t user_data = message.user_data_header.size() + message.short_message.size();
  if (!fits(message.service_type, kServiceTypeMax) || !fits(message.source.digits, kAddressMax) ||
      !fits(message.destination.digits, kAddressMax) ||
      !fits(message.schedule_delivery_time, kTimeMax) || !fits(message.validity_period, kTimeMax) ||
      user_data > kShortMessageMax) {
    return field_too_long();
  }
  constexpr std::size_t kSingleOctets = 8;  // esm_class … priority_flag, … sm_length
  constexpr std::size_t kNuls = 3;          // service_type and the two times
  const std::size_t octets =
      kHeaderOctets + kSingleOctets + kNuls + 2 * kAddressFixedOctets +
      message.service_type.size() + message.source.digits.size() +
      message.destination.digits.size() + message.schedule_delivery_time.size() +
      message.validity_period.size() + user_data + message.tlvs.octets().size();
  if (octets > kPduOctetsMax) return field_too_long();

  Writer writer(out, octets, command_id, CommandStatus::ok, sequence_number);
  writer.c_octets(message.service_type);
  writer.address(message.source);
  writer.address(message.destination);
  writer.u8(message.esm_class);
  writer.u8(message.protocol_id);
  writer.u8(message.priority_flag);
  writer.c_octets(message.schedule_delivery_time);
  writer.c_octets(message.validity_period);
  writer.u8(message.registered_delivery);
  writer.u8(message.replace_if_present_flag);
  writer.u8(message.data_coding);
  writer.u8(message.sm_default_msg_id);
  writer.u8(static_cast<std::uint8_t>(user_data));
  writer.octets(message.user_data_header);
  writer.octets(message.short_message);
  writer.octets(message.tlvs.octets());
  return {};
}

// deliver_sm_resp and data_sm_resp: an empty message_id, whatever the status.
void append_unnamed_resp(Octets& out, CommandId command_id, CommandStatus status,
                         std::uint32_t sequence_number) {
  Writer writer(out, kHeaderOctets + 1, command_id, status, sequence_number);
  writer.u8(0);
}

[[nodiscard]] CommandId request_of(BindType type) noexcept {
  switch (type) {
    case BindType::transmitter: return CommandId::bind_transmitter;
    case BindType::receiver: return CommandId::bind_receiver;
    case BindType::transceiver: break;
  }
  return CommandId::bind_transceiver;
}

}  // namespace

void append_bare(Octets& out, CommandId command_id, CommandStatus status,
                 std::uint32_t sequence_number) {
  const Writer writer(out, kHeaderOctets, command_id, status, sequence_number);
}

result<void> append_submit_sm(Octets& out, std::uint32_t sequence_number, const SubmitSm& submit) {
  return append_short_message(out, CommandId::submit_sm, sequence_number, submit);
}

result<void> append_deliver_sm(Octets& out, std::uint32_t sequence_number,
                               const DeliverSm& deliver) {
  return append_short_message(out, CommandId::deliver_sm, sequence_number, deliver);
}

result<void> append_data_sm(Octets& out, std::uint32_t sequence_number,
                            const ShortMessage& message) {
  const std::size_t user_data = message.user_data_header.size() + message.short_message.size();
  if (!fits(message.service_type, kServiceTypeMax) ||
      !fits(message.source.digits, kDataAddressMax) ||
      !fits(message.destination.digits, kDataAddressMax) || user_data > kTlvValueMax) {
    return field_too_long();
  }
  constexpr std::size_t kSingleOctets = 3;  // esm_class, registered_delivery, data_coding
  const std::size_t payload = user_data == 0 ? 0 : kTlvHeaderOctets + user_data;
  const std::size_t octets = kHeaderOctets + message.service_type.size() + 1 +
                             message.source.digits.size() + message.destination.digits.size() +
                             2 * kAddressFixedOctets + kSingleOctets + payload +
                             message.tlvs.octets().size();
  if (octets > kPduOctetsMax) return field_too_long();

  Writer writer(out, octets, CommandId::data_sm, CommandStatus::ok, sequence_number);
  writer.c_octets(message.service_type);
  writer.address(message.source);
  writer.address(message.destination);
  writer.u8(message.esm_class);
  writer.u8(message.registered_delivery);
  writer.u8(message.data_coding);
  if (payload != 0) {
    writer.u16(tag::kMessagePayload);
    writer.u16(static_cast<std::uint16_t>(user_data));
    writer.octets(message.user_data_header);
    writer.octets(message.short_message);
  }
  writer.octets(message.tlvs.octets());
  return {};
}

result<void> append_submit_resp(Octets& out, std::uint32_t sequence_number, CommandStatus status,
                                std::string_view message_id) {
  if (status != CommandStatus::ok) {
    append_bare(out, CommandId::submit_sm_resp, status, sequence_number);
    return {};
  }
  if (!fits(message_id, kPduOctetsMax - kHeaderOctets - 1)) return field_too_long();
  Writer writer(out, kHeaderOctets + message_id.size() + 1, CommandId::submit_sm_resp, status,
                sequence_number);
  writer.c_octets(message_id);
  return {};
}

void append_deliver_resp(Octets& out, std::uint32_t sequence_number, CommandStatus status) {
  append_unnamed_resp(out, CommandId::deliver_sm_resp, status, sequence_number);
}

void append_data_resp(Octets& out, std::uint32_t sequence_number, CommandStatus status) {
  append_unnamed_resp(out, CommandId::data_sm_resp, status, sequence_number);
}

result<void> append_bind(Octets& out, std::uint32_t sequence_number, const Bind& bind) {
  if (!fits(bind.system_id, kSystemIdMax) || !fits(bind.password, kPasswordMax) ||
      !fits(bind.system_type, kSystemTypeMax) || !fits(bind.address_range, kAddressRangeMax)) {
    return field_too_long();
  }
  constexpr std::size_t kFixedOctets = 4 + 3;  // the NULs; interface_version, ton, npi
  const std::size_t octets = kHeaderOctets + kFixedOctets + bind.system_id.size() +
                             bind.password.size() + bind.system_type.size() +
                             bind.address_range.size();
  Writer writer(out, octets, request_of(bind.type), CommandStatus::ok, sequence_number);
  writer.c_octets(bind.system_id);
  writer.c_octets(bind.password);
  writer.c_octets(bind.system_type);
  writer.u8(bind.interface_version);
  writer.u8(bind.numbering.ton);
  writer.u8(bind.numbering.npi);
  writer.c_octets(bind.address_range);
  return {};
}

result<void> append_bind_resp(Octets& out, std::uint32_t sequence_number, BindType type,
                              CommandStatus status, const BindResp& response) {
  const auto command_id =
      static_cast<CommandId>(static_cast<std::uint32_t>(request_of(type)) | kResponseBit);
  if (status != CommandStatus::ok) {
    append_bare(out, command_id, status, sequence_number);
    return {};
  }
  if (!fits(response.system_id, kSystemIdMax)) return field_too_long();
  const std::size_t version = response.interface_version == 0 ? 0 : kTlvHeaderOctets + 1;
  Writer writer(out, kHeaderOctets + response.system_id.size() + 1 + version, command_id, status,
                sequence_number);
  writer.c_octets(response.system_id);
  if (version != 0) {
    writer.u16(tag::kScInterfaceVersion);
    writer.u16(1);
    writer.u8(response.interface_version);
  }
  return {};
}

result<void> append_query_sm(Octets& out, std::uint32_t sequence_number, const QuerySm& query) {
  if (!fits(query.message_id, kMessageIdMax) || !fits(query.source.digits, kAddressMax)) {
    return field_too_long();
  }
  Writer writer(out,
                kHeaderOctets + query.message_id.size() + 1 + kAddressFixedOctets +
                    query.source.digits.size(),
                CommandId::query_sm, CommandStatus::ok, sequence_number);
  writer.c_octets(query.message_id);
  writer.address(query.source);
  return {};
}

result<void> append_query_resp(Octets& out, std::uint32_t sequence_number, CommandStatus status,
                               const QueryResp& response) {
  if (status != CommandStatus::ok) {
    append_bare(out, CommandId::query_sm_resp, status, sequence_number);
    return {};
  }
  if (!fits(response.message_id, kMessageIdMax) || !fits(response.final_date, kTimeMax)) {
    return field_too_long();
  }
  Writer writer(out, kHeaderOctets + response.message_id.size() + response.final_date.size() + 4,
                CommandId::query_sm_resp, status, sequence_number);
  writer.c_octets(response.message_id);
  writer.c_octets(response.final_date);
  writer.u8(response.message_state);
  writer.u8(response.error_code);
  return {};
}

result<void> append_cancel_sm(Octets& out, std::uint32_t sequence_number, const CancelSm& cancel) {
  if (!fits(cancel.service_type, kServiceTypeMax) || !fits(cancel.message_id, kMessageIdMax) ||
      !fits(cancel.source.digits, kAddressMax) || !fits(cancel.destination.digits, kAddressMax)) {
    return field_too_long();
  }
  Writer writer(out,
                kHeaderOctets + cancel.service_type.size() + cancel.message_id.size() + 2 +
                    2 * kAddressFixedOctets + cancel.source.digits.size() +
                    cancel.destination.digits.size(),
                CommandId::cancel_sm, CommandStatus::ok, sequence_number);
  writer.c_octets(cancel.service_type);
  writer.c_octets(cancel.message_id);
  writer.address(cancel.source);
  writer.address(cancel.destination);
  return {};
}

void append_tlv(Octets& out, std::uint16_t tag, std::span<const std::uint8_t> value) {
  assert(value.size() <= kTlvValueMax && "a TLV's length is 16 bits");
  out.push_back(static_cast<std::uint8_t>(tag >> 8));
  out.push_back(static_cast<std::uint8_t>(tag));
  out.push_back(static_cast<std::uint8_t>(value.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(value.size()));
  out.insert(out.end(), value.begin(), value.end());
}

void append_tlv_u8(Octets& out, std::uint16_t tag, std::uint8_t value) {
  append_tlv(out, tag, {&value, 1});
}

void append_tlv_u16(Octets& out, std::uint16_t tag, std::uint16_t value) {
  const std::uint8_t octets[] = {static_cast<std::uint8_t>(value >> 8),
                                 static_cast<std::uint8_t>(value)};
  append_tlv(out, tag, octets);
}

void append_tlv_text(Octets& out, std::uint16_t tag, std::string_view text) {
  assert(text.size() < kTlvValueMax && "a TLV's length is 16 bits");
  const std::size_t value_octets = text.size() + 1;
  out.push_back(static_cast<std::uint8_t>(tag >> 8));
  out.push_back(static_cast<std::uint8_t>(tag));
  out.push_back(static_cast<std::uint8_t>(value_octets >> 8));
  out.push_back(static_cast<std::uint8_t>(value_octets));
  out.insert(out.end(), text.begin(), text.end());
  out.push_back(0);
}

}  // namespace stentor::protocol
