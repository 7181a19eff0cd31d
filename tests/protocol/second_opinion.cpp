#include "tests/protocol/second_opinion.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string_view>

#include "protocol/decoder.h"

extern "C" {
#include <libsmpp34/smpp34.h>
// The others need the first.
#include <libsmpp34/smpp34_structs.h>
// And this one the second.
#include <libsmpp34/smpp34_params.h>
}

namespace stentor::protocol::test {
namespace {

template <std::size_t N>
void fill(std::uint8_t (&field)[N], std::string_view text) {
  std::ranges::copy(text.substr(0, N - 1), field);
}

template <class Pdu>
std::optional<std::vector<std::uint8_t>> pack(CommandId command_id, CommandStatus status,
                                              std::uint32_t sequence_number, Pdu& pdu) {
  pdu.command_id = static_cast<std::uint32_t>(command_id);
  pdu.command_status = static_cast<std::uint32_t>(status);
  pdu.sequence_number = sequence_number;
  std::vector<std::uint8_t> octets(70000);
  int size = 0;
  if (smpp34_pack(pdu.command_id, octets.data(), static_cast<int>(octets.size()), &size, &pdu) !=
      0) {
    return std::nullopt;
  }
  octets.resize(static_cast<std::size_t>(size));
  return octets;
}

// A TLV that libsmpp34 keeps as a number is in the machine's order there.
bool is_number(std::uint16_t tag) {
  return tag == TLVID_user_message_reference || tag == TLVID_sar_msg_ref_num;
}

// libsmpp34 puts a new TLV in front of the list, so the last goes first.
void add_tlvs(tlv_t*& list, const Tlvs& tlvs) {
  std::vector<Tlv> in_order;
  for (const Tlv tlv : tlvs) in_order.push_back(tlv);
  std::ranges::reverse(in_order);
  for (const Tlv& tlv : in_order) {
    tlv_t one{};
    one.tag = tlv.tag;
    one.length = static_cast<std::uint16_t>(tlv.value.size());
    std::copy(tlv.value.begin(), tlv.value.end(), one.value.octet);
    if (is_number(tlv.tag)) one.value.val16 = ntohs(one.value.val16);
    build_tlv(&list, &one);
  }
}

template <class Pdu>
void fill_common(Pdu& pdu, const ShortMessage& message) {
  fill(pdu.service_type, message.service_type);
  pdu.source_addr_ton = message.source.numbering.ton;
  pdu.source_addr_npi = message.source.numbering.npi;
  fill(pdu.source_addr, message.source.digits);
  pdu.dest_addr_ton = message.destination.numbering.ton;
  pdu.dest_addr_npi = message.destination.numbering.npi;
  fill(pdu.destination_addr, message.destination.digits);
  pdu.esm_class = message.esm_class;
  pdu.registered_delivery = message.registered_delivery;
  pdu.data_coding = message.data_coding;
}

template <class Pdu>
std::optional<std::vector<std::uint8_t>> pack_short_message(CommandId command_id,
                                                            std::uint32_t sequence_number,
                                                            const ShortMessage& message) {
  const auto pdu = std::make_unique<Pdu>();
  std::memset(pdu.get(), 0, sizeof(Pdu));
  fill_common(*pdu, message);
  pdu->protocol_id = message.protocol_id;
  pdu->priority_flag = message.priority_flag;
  fill(pdu->schedule_delivery_time, message.schedule_delivery_time);
  fill(pdu->validity_period, message.validity_period);
  pdu->replace_if_present_flag = message.replace_if_present_flag;
  pdu->sm_default_msg_id = message.sm_default_msg_id;
  std::vector<std::uint8_t> user_data(message.user_data_header.begin(),
                                      message.user_data_header.end());
  user_data.insert(user_data.end(), message.short_message.begin(), message.short_message.end());
  pdu->sm_length = static_cast<std::uint8_t>(user_data.size());
  std::copy(user_data.begin(), user_data.end(), pdu->short_message);
  add_tlvs(pdu->tlv, message.tlvs);
  auto octets = pack(command_id, CommandStatus::ok, sequence_number, *pdu);
  destroy_tlv(pdu->tlv);
  return octets;
}

template <class Pdu>
std::optional<OwnedShortMessage> read_as(std::span<const std::uint8_t> octets, CommandId id) {
  const auto pdu = std::make_unique<Pdu>();
  std::memset(pdu.get(), 0, sizeof(Pdu));
  if (smpp34_unpack(static_cast<std::uint32_t>(id), pdu.get(), octets.data(),
                    static_cast<int>(octets.size())) != 0) {
    return std::nullopt;
  }
  const auto text = [](const std::uint8_t* field) {
    return std::string(reinterpret_cast<const char*>(field));
  };
  OwnedShortMessage read{.service_type = text(pdu->service_type),
                         .source_numbering = {pdu->source_addr_ton, pdu->source_addr_npi},
                         .source = text(pdu->source_addr),
                         .destination_numbering = {pdu->dest_addr_ton, pdu->dest_addr_npi},
                         .destination = text(pdu->destination_addr),
                         .esm_class = pdu->esm_class,
                         .protocol_id = pdu->protocol_id,
                         .priority_flag = pdu->priority_flag,
                         .schedule_delivery_time = text(pdu->schedule_delivery_time),
                         .validity_period = text(pdu->validity_period),
                         .registered_delivery = pdu->registered_delivery,
                         .replace_if_present_flag = pdu->replace_if_present_flag,
                         .data_coding = pdu->data_coding,
                         .sm_default_msg_id = pdu->sm_default_msg_id,
                         .short_message = {pdu->short_message, pdu->short_message + pdu->sm_length},
                         .tlvs = {}};
  for (tlv_t* tlv = pdu->tlv; tlv != nullptr; tlv = tlv->next) {
    if (is_number(tlv->tag)) tlv->value.val16 = htons(tlv->value.val16);
    read.tlvs.push_back({tlv->tag, {tlv->value.octet, tlv->value.octet + tlv->length}});
  }
  std::ranges::reverse(read.tlvs);  // each was put in front of the one before
  destroy_tlv(pdu->tlv);
  return read;
}

template <class Pdu>
std::optional<std::vector<std::uint8_t>> pack_bind(CommandId command_id,
                                                   std::uint32_t sequence_number,
                                                   const Bind& bind) {
  Pdu pdu{};
  fill(pdu.system_id, bind.system_id);
  fill(pdu.password, bind.password);
  fill(pdu.system_type, bind.system_type);
  pdu.interface_version = bind.interface_version;
  pdu.addr_ton = bind.numbering.ton;
  pdu.addr_npi = bind.numbering.npi;
  fill(pdu.address_range, bind.address_range);
  return pack(command_id, CommandStatus::ok, sequence_number, pdu);
}

template <class Pdu>
std::optional<std::vector<std::uint8_t>> pack_bind_resp(CommandId command_id,
                                                        std::uint32_t sequence_number,
                                                        const BindResp& response) {
  Pdu pdu{};
  fill(pdu.system_id, response.system_id);
  if (response.interface_version != 0) {
    tlv_t version{};
    version.tag = TLVID_sc_interface_version;
    version.length = 1;
    version.value.val08 = response.interface_version;
    build_tlv(&pdu.tlv, &version);
  }
  auto octets = pack(command_id, CommandStatus::ok, sequence_number, pdu);
  destroy_tlv(pdu.tlv);
  return octets;
}

// The list as it came: a TLV that is read is put in front, and they are written from the front.
void turn_round(tlv_t*& list) {
  tlv_t* turned = nullptr;
  while (list != nullptr) {
    tlv_t* const next = list->next;
    list->next = turned;
    turned = list;
    list = next;
  }
  list = turned;
}

template <class Pdu>
std::optional<std::vector<std::uint8_t>> reread(const Header& header,
                                                std::span<const std::uint8_t> octets) {
  const auto pdu = std::make_unique<Pdu>();
  std::memset(static_cast<void*>(pdu.get()), 0, sizeof(Pdu));
  std::vector<std::uint8_t> copy(octets.begin(), octets.end());  // it takes no const
  if (smpp34_unpack(static_cast<std::uint32_t>(header.command_id), pdu.get(), copy.data(),
                    static_cast<int>(copy.size())) != 0) {
    return std::nullopt;
  }
  if constexpr (requires { pdu->tlv; }) turn_round(pdu->tlv);
  auto written = pack(header.command_id, header.command_status, header.sequence_number, *pdu);
  if constexpr (requires { pdu->tlv; }) destroy_tlv(pdu->tlv);
  return written;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> smpp34_short_message(CommandId command_id,
                                                              std::uint32_t sequence_number,
                                                              const ShortMessage& message) {
  return command_id == CommandId::submit_sm
             ? pack_short_message<submit_sm_t>(command_id, sequence_number, message)
             : pack_short_message<deliver_sm_t>(command_id, sequence_number, message);
}

std::optional<std::vector<std::uint8_t>> smpp34_data_sm(std::uint32_t sequence_number,
                                                        const ShortMessage& message) {
  const auto pdu = std::make_unique<data_sm_t>();
  std::memset(pdu.get(), 0, sizeof(data_sm_t));
  fill_common(*pdu, message);
  add_tlvs(pdu->tlv, message.tlvs);
  auto octets = pack(CommandId::data_sm, CommandStatus::ok, sequence_number, *pdu);
  destroy_tlv(pdu->tlv);
  return octets;
}

std::optional<std::vector<std::uint8_t>> smpp34_submit_resp(std::uint32_t sequence_number,
                                                            CommandStatus status,
                                                            std::string_view message_id) {
  submit_sm_resp_t pdu{};
  fill(pdu.message_id, message_id);
  return pack(CommandId::submit_sm_resp, status, sequence_number, pdu);
}

std::optional<std::vector<std::uint8_t>> smpp34_deliver_resp(std::uint32_t sequence_number,
                                                             CommandStatus status) {
  deliver_sm_resp_t pdu{};
  return pack(CommandId::deliver_sm_resp, status, sequence_number, pdu);
}

std::optional<std::vector<std::uint8_t>> smpp34_bind(std::uint32_t sequence_number,
                                                     const Bind& bind) {
  switch (bind.type) {
    case BindType::transmitter:
      return pack_bind<bind_transmitter_t>(CommandId::bind_transmitter, sequence_number, bind);
    case BindType::receiver:
      return pack_bind<bind_receiver_t>(CommandId::bind_receiver, sequence_number, bind);
    case BindType::transceiver: break;
  }
  return pack_bind<bind_transceiver_t>(CommandId::bind_transceiver, sequence_number, bind);
}

std::optional<std::vector<std::uint8_t>> smpp34_bind_resp(std::uint32_t sequence_number,
                                                          BindType type, const BindResp& response) {
  switch (type) {
    case BindType::transmitter:
      return pack_bind_resp<bind_transmitter_resp_t>(CommandId::bind_transmitter_resp,
                                                     sequence_number, response);
    case BindType::receiver:
      return pack_bind_resp<bind_receiver_resp_t>(CommandId::bind_receiver_resp, sequence_number,
                                                  response);
    case BindType::transceiver: break;
  }
  return pack_bind_resp<bind_transceiver_resp_t>(CommandId::bind_transceiver_resp, sequence_number,
                                                 response);
}

std::optional<std::vector<std::uint8_t>> smpp34_query_sm(std::uint32_t sequence_number,
                                                         const QuerySm& query) {
  query_sm_t pdu{};
  fill(pdu.message_id, query.message_id);
  pdu.source_addr_ton = query.source.numbering.ton;
  pdu.source_addr_npi = query.source.numbering.npi;
  fill(pdu.source_addr, query.source.digits);
  return pack(CommandId::query_sm, CommandStatus::ok, sequence_number, pdu);
}

std::optional<std::vector<std::uint8_t>> smpp34_query_resp(std::uint32_t sequence_number,
                                                           const QueryResp& response) {
  query_sm_resp_t pdu{};
  fill(pdu.message_id, response.message_id);
  fill(pdu.final_date, response.final_date);
  pdu.message_state = response.message_state;
  pdu.error_code = response.error_code;
  return pack(CommandId::query_sm_resp, CommandStatus::ok, sequence_number, pdu);
}

std::optional<std::vector<std::uint8_t>> smpp34_cancel_sm(std::uint32_t sequence_number,
                                                          const CancelSm& cancel) {
  cancel_sm_t pdu{};
  fill(pdu.service_type, cancel.service_type);
  fill(pdu.message_id, cancel.message_id);
  pdu.source_addr_ton = cancel.source.numbering.ton;
  pdu.source_addr_npi = cancel.source.numbering.npi;
  fill(pdu.source_addr, cancel.source.digits);
  pdu.dest_addr_ton = cancel.destination.numbering.ton;
  pdu.dest_addr_npi = cancel.destination.numbering.npi;
  fill(pdu.destination_addr, cancel.destination.digits);
  return pack(CommandId::cancel_sm, CommandStatus::ok, sequence_number, pdu);
}

std::optional<std::vector<std::uint8_t>> smpp34_bare(CommandId command_id,
                                                     std::uint32_t sequence_number) {
  enquire_link_t pdu{};  // all the bare ones are one header
  return pack(command_id, CommandStatus::ok, sequence_number, pdu);
}

std::optional<std::vector<std::uint8_t>> smpp34_outbind(std::uint32_t sequence_number,
                                                        const Outbind& outbind) {
  outbind_t pdu{};
  fill(pdu.system_id, outbind.system_id);
  fill(pdu.password, outbind.password);
  return pack(CommandId::outbind, CommandStatus::ok, sequence_number, pdu);
}

std::optional<std::vector<std::uint8_t>> smpp34_alert_notification(std::uint32_t sequence_number,
                                                                   const AlertNotification& alert) {
  const auto pdu = std::make_unique<alert_notification_t>();
  std::memset(pdu.get(), 0, sizeof(alert_notification_t));
  pdu->source_addr_ton = alert.source.numbering.ton;
  pdu->source_addr_npi = alert.source.numbering.npi;
  fill(pdu->source_addr, alert.source.digits);
  pdu->esme_addr_ton = alert.esme.numbering.ton;
  pdu->esme_addr_npi = alert.esme.numbering.npi;
  fill(pdu->esme_addr, alert.esme.digits);
  add_tlvs(pdu->tlv, alert.tlvs);
  auto octets = pack(CommandId::alert_notification, CommandStatus::ok, sequence_number, *pdu);
  destroy_tlv(pdu->tlv);
  return octets;
}

std::optional<std::vector<std::uint8_t>> smpp34_reread(std::span<const std::uint8_t> pdu) {
  const Header header = decode_header(pdu);
  switch (header.command_id) {
    case CommandId::bind_receiver: return reread<bind_receiver_t>(header, pdu);
    case CommandId::bind_transmitter: return reread<bind_transmitter_t>(header, pdu);
    case CommandId::bind_transceiver: return reread<bind_transceiver_t>(header, pdu);
    case CommandId::bind_receiver_resp: return reread<bind_receiver_resp_t>(header, pdu);
    case CommandId::bind_transmitter_resp: return reread<bind_transmitter_resp_t>(header, pdu);
    case CommandId::bind_transceiver_resp: return reread<bind_transceiver_resp_t>(header, pdu);
    case CommandId::outbind: return reread<outbind_t>(header, pdu);
    case CommandId::submit_sm: return reread<submit_sm_t>(header, pdu);
    case CommandId::submit_sm_resp: return reread<submit_sm_resp_t>(header, pdu);
    case CommandId::deliver_sm: return reread<deliver_sm_t>(header, pdu);
    case CommandId::deliver_sm_resp: return reread<deliver_sm_resp_t>(header, pdu);
    case CommandId::data_sm: return reread<data_sm_t>(header, pdu);
    case CommandId::data_sm_resp: return reread<data_sm_resp_t>(header, pdu);
    case CommandId::query_sm: return reread<query_sm_t>(header, pdu);
    case CommandId::query_sm_resp: return reread<query_sm_resp_t>(header, pdu);
    case CommandId::cancel_sm: return reread<cancel_sm_t>(header, pdu);
    case CommandId::alert_notification: return reread<alert_notification_t>(header, pdu);
    case CommandId::cancel_sm_resp:
    case CommandId::unbind:
    case CommandId::unbind_resp:
    case CommandId::enquire_link:
    case CommandId::enquire_link_resp:
    case CommandId::generic_nack: return reread<enquire_link_t>(header, pdu);
    case CommandId::replace_sm:
    case CommandId::replace_sm_resp:
    case CommandId::submit_multi:
    case CommandId::submit_multi_resp: break;  // we write none of these
  }
  return std::nullopt;
}

std::optional<OwnedShortMessage> smpp34_read_short_message(std::span<const std::uint8_t> pdu) {
  return pdu[7] == 0x04 ? read_as<submit_sm_t>(pdu, CommandId::submit_sm)
                        : read_as<deliver_sm_t>(pdu, CommandId::deliver_sm);
}

OwnedShortMessage owned(const ShortMessage& message) {
  OwnedShortMessage copy{
      .service_type = std::string(message.service_type),
      .source_numbering = message.source.numbering,
      .source = std::string(message.source.digits),
      .destination_numbering = message.destination.numbering,
      .destination = std::string(message.destination.digits),
      .esm_class = message.esm_class,
      .protocol_id = message.protocol_id,
      .priority_flag = message.priority_flag,
      .schedule_delivery_time = std::string(message.schedule_delivery_time),
      .validity_period = std::string(message.validity_period),
      .registered_delivery = message.registered_delivery,
      .replace_if_present_flag = message.replace_if_present_flag,
      .data_coding = message.data_coding,
      .sm_default_msg_id = message.sm_default_msg_id,
      .short_message = {message.user_data_header.begin(), message.user_data_header.end()},
      .tlvs = {}};
  copy.short_message.insert(copy.short_message.end(), message.short_message.begin(),
                            message.short_message.end());
  for (const Tlv tlv : message.tlvs) {
    copy.tlvs.push_back({tlv.tag, {tlv.value.begin(), tlv.value.end()}});
  }
  return copy;
}

}  // namespace stentor::protocol::test
