#include "daemon/links/wire_trace.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"
#include "daemon/wall_clock.h"
#include "protocol/decoder.h"
#include "protocol/tlv_kinds.h"

namespace stentor::daemon {
namespace {

using protocol::CommandId;

// The whole answer waits in memory for its reader.
constexpr std::size_t kOctetsMax = 4u << 20;
constexpr std::size_t kTextOctetsMax = 256;

std::string_view name_of(CommandId command) {
  switch (command) {
    case CommandId::generic_nack: return "generic_nack";
    case CommandId::bind_receiver: return "bind_receiver";
    case CommandId::bind_receiver_resp: return "bind_receiver_resp";
    case CommandId::bind_transmitter: return "bind_transmitter";
    case CommandId::bind_transmitter_resp: return "bind_transmitter_resp";
    case CommandId::query_sm: return "query_sm";
    case CommandId::query_sm_resp: return "query_sm_resp";
    case CommandId::submit_sm: return "submit_sm";
    case CommandId::submit_sm_resp: return "submit_sm_resp";
    case CommandId::deliver_sm: return "deliver_sm";
    case CommandId::deliver_sm_resp: return "deliver_sm_resp";
    case CommandId::unbind: return "unbind";
    case CommandId::unbind_resp: return "unbind_resp";
    case CommandId::replace_sm: return "replace_sm";
    case CommandId::replace_sm_resp: return "replace_sm_resp";
    case CommandId::cancel_sm: return "cancel_sm";
    case CommandId::cancel_sm_resp: return "cancel_sm_resp";
    case CommandId::bind_transceiver: return "bind_transceiver";
    case CommandId::bind_transceiver_resp: return "bind_transceiver_resp";
    case CommandId::outbind: return "outbind";
    case CommandId::enquire_link: return "enquire_link";
    case CommandId::enquire_link_resp: return "enquire_link_resp";
    case CommandId::submit_multi: return "submit_multi";
    case CommandId::submit_multi_resp: return "submit_multi_resp";
    case CommandId::alert_notification: return "alert_notification";
    case CommandId::data_sm: return "data_sm";
    case CommandId::data_sm_resp: return "data_sm_resp";
  }
  return {};
}

std::string hex_of(std::span<const std::uint8_t> octets) {
  std::string hex;
  for (const std::uint8_t octet : octets) hex += fmt::format("{:02x}", octet);
  return hex;
}

void append_untrusted(std::string_view key, std::string_view octets, std::string& out) {
  append_key(key, out);
  append_json_untrusted(octets, kTextOctetsMax, out);
}

// "79..67": enough to tell a country and to follow one number by eye.
std::string redacted(std::string_view digits) {
  if (digits.size() <= 4) return std::string(digits.size(), '.');
  return fmt::format("{}..{}", digits.substr(0, 2), digits.substr(digits.size() - 2));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Some carriers write the handset's number into their ids ("SAR-2347039245475-9b3c-2-1"). An id
// that is one number itself, decimal or hexadecimal, is only an id.
std::string redacted_id(std::string_view id) {
  constexpr std::size_t kNumberDigitsMin = 9;  // with its country code; no date has so many
  if (std::ranges::all_of(id, is_hex_digit)) return std::string(id);
  std::string shown;
  while (!id.empty()) {
    const auto digits =
        static_cast<std::size_t>(std::ranges::find_if_not(id, is_digit) - id.begin());
    const std::string_view run = id.substr(0, std::max<std::size_t>(digits, 1));
    shown += digits >= kNumberDigitsMin ? redacted(run) : std::string(run);
    id.remove_prefix(run.size());
  }
  return shown;
}

void append_id(std::string_view key, std::string_view id, bool clear, std::string& out) {
  append_untrusted(key, clear ? std::string(id) : redacted_id(id), out);
}

void append_number(std::string_view key, const protocol::Address& address, bool clear,
                   std::string& out) {
  append_untrusted(key, clear ? std::string(address.digits) : redacted(address.digits), out);
  append_member(fmt::format("{}_ton", key), address.numbering.ton, out);
  append_member(fmt::format("{}_npi", key), address.numbering.npi, out);
}

// Numbers, and an id or a code, as they are; what may be somebody's text or number by its size.
void append_tlv(const protocol::Tlv& tlv, bool clear, std::string& out) {
  const protocol::TlvKind* const kind = protocol::find_tlv_kind(tlv.tag);
  append_member("tag", kind == nullptr ? fmt::format("{:#06x}", tlv.tag) : std::string(kind->name),
                out);
  const bool is_number = kind != nullptr && kind->form == protocol::TlvForm::integer &&
                         tlv.value.size() == kind->octets_max;
  if (is_number) {
    std::uint64_t number = 0;
    for (const std::uint8_t octet : tlv.value) number = number << 8 | octet;
    return append_member("value", number, out);
  }
  if (tlv.tag == protocol::tag::kReceiptedMessageId) {
    const std::string_view id(reinterpret_cast<const char*>(tlv.value.data()), tlv.value.size());
    return append_id("value", id.substr(0, id.find('\0')), clear, out);
  }
  append_member("octets", tlv.value.size(), out);
  if (clear || tlv.tag == protocol::tag::kNetworkErrorCode) {
    append_member("value", hex_of(tlv.value), out);
  }
}

void append_tlvs(const protocol::Tlvs& tlvs, bool clear, std::string& out) {
  if (tlvs.octets().empty()) return;
  open_list("tlvs", out);
  for (const protocol::Tlv tlv : tlvs) {
    open_object(out);
    append_tlv(tlv, clear, out);
    out.push_back('}');
  }
  out.push_back(']');
}

// Behind the fields of an answer: how congested the carrier is, why it refused.
void append_response_tlvs(std::span<const std::uint8_t> pdu, bool clear, std::string& out) {
  if (const auto tlvs = protocol::decode_response_tlvs(pdu)) {
    return append_tlvs(*tlvs, clear, out);
  }
  append_member("note", "its TLVs do not decode", out);
}

// Fields that are seldom used are shown where they are.
void append_set(std::string_view key, std::uint8_t value, std::string& out) {
  if (value != 0) append_member(key, value, out);
}
void append_set(std::string_view key, std::string_view octets, std::string& out) {
  if (!octets.empty()) append_untrusted(key, octets, out);
}

void append_message(const protocol::ShortMessage& message, bool clear, std::string& out) {
  append_set("service_type", message.service_type, out);
  append_number("source", message.source, clear, out);
  append_number("destination", message.destination, clear, out);
  append_member("esm_class", message.esm_class, out);
  append_set("protocol_id", message.protocol_id, out);
  append_set("priority_flag", message.priority_flag, out);
  append_member("data_coding", message.data_coding, out);
  append_member("registered_delivery", message.registered_delivery, out);
  append_set("schedule_delivery_time", message.schedule_delivery_time, out);
  append_set("validity_period", message.validity_period, out);
  append_set("replace_if_present_flag", message.replace_if_present_flag, out);
  append_set("sm_default_msg_id", message.sm_default_msg_id, out);
  const auto body = protocol::user_data_of(message);
  append_member("user_data_octets", body.size(), out);
  if (clear) append_member("user_data", hex_of(body), out);
  append_tlvs(message.tlvs, clear, out);
}

void append_body(const protocol::Header& header, std::span<const std::uint8_t> pdu, bool clear,
                 std::string& out) {
  const auto undecoded = [&out] { append_member("note", "its body does not decode", out); };
  switch (header.command_id) {
    case CommandId::submit_sm:
    case CommandId::deliver_sm:
      if (const auto message = protocol::decode_short_message(pdu, protocol::TextBounds::lenient)) {
        return append_message(*message, clear, out);
      }
      return undecoded();
    case CommandId::data_sm:
      if (const auto message = protocol::decode_data_sm(pdu, protocol::TextBounds::lenient)) {
        return append_message(*message, clear, out);
      }
      return undecoded();
    case CommandId::submit_sm_resp:
    case CommandId::data_sm_resp:
      if (const auto message_id = protocol::decode_submit_resp(pdu)) {
        append_id("message_id", *message_id, clear, out);
        return append_response_tlvs(pdu, clear, out);
      }
      return undecoded();
    case CommandId::bind_receiver:
    case CommandId::bind_transmitter:
    case CommandId::bind_transceiver:
      if (const auto bind = protocol::decode_bind(pdu)) {
        append_untrusted("system_id", bind->system_id, out);
        append_member("password", "***", out);
        append_untrusted("system_type", bind->system_type, out);
        append_member("interface_version", bind->interface_version, out);
        append_set("addr_ton", bind->numbering.ton, out);
        append_set("addr_npi", bind->numbering.npi, out);
        if (bind->address_range.empty()) return;
        return append_untrusted(  // it may be somebody's number
            "address_range",
            clear ? std::string(bind->address_range) : redacted(bind->address_range), out);
      }
      return undecoded();
    case CommandId::bind_receiver_resp:
    case CommandId::bind_transmitter_resp:
    case CommandId::bind_transceiver_resp:
      if (const auto response = protocol::decode_bind_resp(pdu)) {
        append_untrusted("system_id", response->system_id, out);
        return append_response_tlvs(pdu, clear, out);
      }
      return undecoded();
    case CommandId::cancel_sm:
      if (const auto cancel = protocol::decode_cancel_sm(pdu)) {
        append_id("message_id", cancel->message_id, clear, out);
        append_number("source", cancel->source, clear, out);
        return append_number("destination", cancel->destination, clear, out);
      }
      return undecoded();
    case CommandId::outbind:
      if (const auto outbind = protocol::decode_outbind(pdu)) {
        append_untrusted("system_id", outbind->system_id, out);
        return append_member("password", "***", out);
      }
      return undecoded();
    case CommandId::alert_notification:
      if (const auto alert = protocol::decode_alert_notification(pdu)) {
        append_number("source", alert->source, clear, out);
        append_number("esme", alert->esme, clear, out);
        const auto available = alert->tlvs.find(protocol::tag::kMsAvailabilityStatus);
        if (available.value.size() == 1) {
          append_member("ms_availability_status", available.value[0], out);
        }
        return;
      }
      return undecoded();
    case CommandId::query_sm:
      if (const auto query = protocol::decode_query_sm(pdu)) {
        append_id("message_id", query->message_id, clear, out);
        return append_number("source", query->source, clear, out);
      }
      return undecoded();
    case CommandId::query_sm_resp:
      if (const auto answer = protocol::decode_query_resp(pdu)) {
        append_id("message_id", answer->message_id, clear, out);
        append_untrusted("final_date", answer->final_date, out);
        append_member("message_state", answer->message_state, out);
        append_member("error_code", answer->error_code, out);
        return append_response_tlvs(pdu, clear, out);
      }
      return undecoded();
    case CommandId::generic_nack:
    case CommandId::deliver_sm_resp:
    case CommandId::unbind_resp:
    case CommandId::replace_sm_resp:
    case CommandId::cancel_sm_resp:
    case CommandId::enquire_link_resp: return append_response_tlvs(pdu, clear, out);
    case CommandId::unbind:
    case CommandId::replace_sm:
    case CommandId::enquire_link:
    case CommandId::submit_multi:
    case CommandId::submit_multi_resp: break;  // the header says what matters, or all there is
  }
}

}  // namespace

std::string describe_pdu(std::span<const std::uint8_t> pdu, bool clear) {
  std::string out = "{";
  const protocol::Header header = protocol::decode_header(pdu);
  const auto name = name_of(header.command_id);
  append_member("command",
                name.empty()
                    ? fmt::format("{:#010x}", static_cast<std::uint32_t>(header.command_id))
                    : std::string(name),
                out);
  append_member("sequence", header.sequence_number, out);
  append_member("command_status",
                fmt::format("{:#010x}", static_cast<std::uint32_t>(header.command_status)), out);
  append_member("octets", pdu.size(), out);
  append_body(header, pdu, clear, out);
  out.push_back('}');
  return out;
}

WireTrace::WireTrace(boost::asio::io_context& context, TraceOrder order,
                     std::function<void(std::string)> done)
    : order_(order), done_(std::move(done)), until_(context) {
  until_.expires_after(order_.within);
  until_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) finish();
  });
}

WireTrace::~WireTrace() = default;

void WireTrace::on_read(std::uint16_t bind, std::span<const std::uint8_t> octets, bool is_aligned) {
  auto stream = unfinished_.find(bind);
  if (stream == unfinished_.end()) {
    if (!is_aligned) return;  // begun in the middle of a PDU: the next read may be better
    stream = unfinished_.emplace(bind, protocol::PduStream(protocol::kPduOctetsMax)).first;
  }
  const auto fed = stream->second.feed(octets, [&](std::span<const std::uint8_t> pdu) {
    add(bind, "in", pdu);
    return true;
  });
  if (!fed) unfinished_.erase(bind);  // the session says what it thinks of that
}

void WireTrace::on_written(std::uint16_t bind, std::span<const std::uint8_t> octets) {
  while (octets.size() >= protocol::kHeaderOctets) {
    const auto size = protocol::front_pdu_octets(octets);
    if (!size || *size == 0 || *size > octets.size()) return;
    add(bind, "out", octets.first(*size));
    octets = octets.subspan(*size);
  }
}

void WireTrace::add(std::optional<std::uint16_t> bind, std::string_view way,
                    std::span<const std::uint8_t> pdu) {
  if (!done_ || count_ >= order_.lines_max || lines_.size() >= kOctetsMax) return;
  ++count_;
  std::string time;
  append_rfc3339(wall_clock_ms(), time);
  lines_ += fmt::format(R"({{"time":"{}",)", time);
  if (bind) lines_ += fmt::format(R"("bind":{},)", *bind);
  lines_ += fmt::format(R"("way":"{}",)", way);
  lines_ += std::string_view(describe_pdu(pdu, order_.clear)).substr(1);
  lines_.push_back('\n');
  if (count_ < order_.lines_max && lines_.size() < kOctetsMax) return;
  // Not from here: the link that called goes on with us for this turn.
  until_.expires_after(std::chrono::seconds(0));
  until_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) finish();
  });
}

void WireTrace::finish() {
  if (!done_) return;
  auto done = std::move(done_);
  done_ = nullptr;
  lines_ += fmt::format(R"({{"status":"ok","done":true,"lines":{}}})", count_);
  done(std::move(lines_));  // may end this trace
}

}  // namespace stentor::daemon
