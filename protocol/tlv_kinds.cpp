#include "protocol/tlv_kinds.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "protocol/field_limits.h"

namespace stentor::protocol {
namespace {

using enum TlvForm;

// What has no bound of its own is bounded by the longest that a message's own TLVs may be.
constexpr std::uint16_t kOpenMax = 255;

// By tag. SMPP 3.4 section 5.3.2; those marked 5.0 came with that version.
constexpr TlvKind kKinds[] = {
    {0x0005, integer, 1, 1, "dest_addr_subunit"},
    {0x0006, integer, 1, 1, "dest_network_type"},
    {0x0007, integer, 1, 1, "dest_bearer_type"},
    {0x0008, integer, 2, 2, "dest_telematics_id"},
    {0x000d, integer, 1, 1, "source_addr_subunit"},
    {0x000e, integer, 1, 1, "source_network_type"},
    {0x000f, integer, 1, 1, "source_bearer_type"},
    {0x0010, integer, 1, 1, "source_telematics_id"},
    {0x0017, integer, 4, 4, "qos_time_to_live"},
    {0x0019, integer, 1, 1, "payload_type"},
    {0x001d, c_octets, 1, 256, "additional_status_info_text"},
    {0x001e, c_octets, 1, 65, "receipted_message_id"},
    {0x0030, integer, 1, 1, "ms_msg_wait_facilities"},
    {0x0201, integer, 1, 1, "privacy_indicator"},
    {0x0202, octets, 2, 23, "source_subaddress"},
    {0x0203, octets, 2, 23, "dest_subaddress"},
    {0x0204, integer, 2, 2, "user_message_reference"},
    {0x0205, integer, 1, 1, "user_response_code"},
    {0x020a, integer, 2, 2, "source_port"},
    {0x020b, integer, 2, 2, "destination_port"},
    {0x020b, integer, 2, 2, "dest_port"},  // 5.0's name for it
    {0x020c, integer, 2, 2, "sar_msg_ref_num"},
    {0x020d, integer, 1, 1, "language_indicator"},
    {0x020e, integer, 1, 1, "sar_total_segments"},
    {0x020f, integer, 1, 1, "sar_segment_seqnum"},
    {0x0210, integer, 1, 1, "sc_interface_version"},
    {0x0302, integer, 1, 1, "callback_num_pres_ind"},
    {0x0303, octets, 0, 65, "callback_num_atag"},
    {0x0304, integer, 1, 1, "number_of_messages"},
    {0x0381, octets, 4, 19, "callback_num"},
    {0x0420, integer, 1, 1, "dpf_result"},
    {0x0421, integer, 1, 1, "set_dpf"},
    {0x0422, integer, 1, 1, "ms_availability_status"},
    {0x0423, octets, 3, 3, "network_error_code"},
    {0x0424, octets, 0, kOpenMax, "message_payload"},
    {0x0425, integer, 1, 1, "delivery_failure_reason"},
    {0x0426, integer, 1, 1, "more_messages_to_send"},
    {0x0427, integer, 1, 1, "message_state"},
    {0x0428, integer, 1, 1, "congestion_state"},  // 5.0
    {0x0501, octets, 1, 1, "ussd_service_op"},
    {0x0600, integer, 1, 1, "broadcast_channel_indicator"},        // 5.0, to
    {0x0601, octets, 3, 3, "broadcast_content_type"},              //
    {0x0602, octets, 0, kOpenMax, "broadcast_content_type_info"},  //
    {0x0603, integer, 1, 1, "broadcast_message_class"},            //
    {0x0604, integer, 2, 2, "broadcast_rep_num"},                  //
    {0x0605, octets, 3, 3, "broadcast_frequency_interval"},        //
    {0x0606, octets, 1, kOpenMax, "broadcast_area_identifier"},    //
    {0x0607, integer, 4, 4, "broadcast_error_status"},             //
    {0x0608, integer, 1, 1, "broadcast_area_success"},             //
    {0x0609, c_octets, 1, 17, "broadcast_end_time"},               //
    {0x060a, octets, 1, kOpenMax, "broadcast_service_group"},      //
    {0x060b, octets, 1, kOpenMax, "billing_identification"},       //
    {0x060d, c_octets, 7, 66, "source_network_id"},                //
    {0x060e, c_octets, 7, 66, "dest_network_id"},                  //
    {0x060f, octets, 6, 6, "source_node_id"},                      //
    {0x0610, octets, 6, 6, "dest_node_id"},                        //
    {0x0611, integer, 1, 1, "dest_addr_np_resolution"},            //
    {0x0612, octets, 10, 10, "dest_addr_np_information"},          //
    {0x0613, integer, 4, 4, "dest_addr_np_country"},               // here
    {0x1201, integer, 1, 1, "display_time"},
    {0x1203, integer, 2, 2, "sms_signal"},
    {0x1204, octets, 1, 4, "ms_validity"},  // 1 octet in 3.4, up to 4 in 5.0
    {0x130c, flag, 0, 0, "alert_on_message_delivery"},
    {0x1380, integer, 1, 1, "its_reply_type"},
    {0x1383, octets, 2, 2, "its_session_info"},
};
static_assert(std::ranges::is_sorted(kKinds, {}, &TlvKind::tag));

std::unexpected<TlvFault> expected_but(std::string phrase) {
  return std::unexpected("must be " + std::move(phrase));
}

std::string range_of(const TlvKind& kind) {
  const std::string most = std::to_string(kind.octets_max);
  if (kind.octets_min == kind.octets_max) return most + " octets";
  return std::to_string(kind.octets_min) + " to " + most + " octets";
}

int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// False for what is no pairs of hexadecimal digits.
bool append_hex(Octets& out, std::string_view hex) {
  if (hex.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit_of(hex[i]);
    const int low = digit_of(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return true;
}

std::expected<void, TlvFault> append_octets(Octets& out, std::uint16_t tag, const TlvText& value,
                                            const TlvKind& bounds) {
  const auto* const hex = std::get_if<std::string_view>(&value);
  Octets octets;
  if (hex == nullptr || !append_hex(octets, *hex)) {
    return expected_but("a text of pairs of hexadecimal digits");
  }
  if (octets.size() < bounds.octets_min || octets.size() > bounds.octets_max) {
    return expected_but(range_of(bounds));
  }
  append_tlv(out, tag, octets);
  return {};
}

std::expected<void, TlvFault> append_integer(Octets& out, const TlvKind& kind,
                                             const TlvText& value) {
  const std::uint64_t most = (std::uint64_t{1} << (8 * kind.octets_max)) - 1;
  const auto* const number = std::get_if<std::uint64_t>(&value);
  if (number == nullptr || *number > most) {
    return expected_but("a number of 0 to " + std::to_string(most));
  }
  std::array<std::uint8_t, 4> octets{};
  for (std::size_t i = 0; i < kind.octets_max; ++i) {
    octets[i] = static_cast<std::uint8_t>(*number >> (8 * (kind.octets_max - 1 - i)));
  }
  append_tlv(out, kind.tag, std::span(octets).first(kind.octets_max));
  return {};
}

std::expected<void, TlvFault> append_text(Octets& out, const TlvKind& kind, const TlvText& value) {
  const auto* const text = std::get_if<std::string_view>(&value);
  if (text == nullptr || !fits(*text, kind.octets_max - 1u)) {
    return expected_but("a text of at most " + std::to_string(kind.octets_max - 1) + " octets");
  }
  append_tlv_text(out, kind.tag, *text);
  return {};
}

}  // namespace

const TlvKind* find_tlv_kind(std::string_view name) noexcept {
  const auto found = std::ranges::find(kKinds, name, &TlvKind::name);
  return found == std::end(kKinds) ? nullptr : &*found;
}

const TlvKind* find_tlv_kind(std::uint16_t tag) noexcept {
  const auto found = std::ranges::lower_bound(kKinds, tag, {}, &TlvKind::tag);
  return found == std::end(kKinds) || found->tag != tag ? nullptr : &*found;
}

bool is_written_by_session(std::uint16_t tag) noexcept {
  switch (tag) {
    case tag::kUserMessageReference:
    case tag::kSarMsgRefNum:
    case tag::kSarTotalSegments:
    case tag::kSarSegmentSeqnum:
    case tag::kMessagePayload:
    case tag::kMoreMessagesToSend:
    case tag::kQosTimeToLive: return true;
    default: return false;
  }
}

std::expected<void, TlvFault> append_tlv_by_name(Octets& out, std::string_view name,
                                                 const TlvText& value) {
  if (name.starts_with("0x") || name.starts_with("0X")) {
    std::uint16_t tag = 0;
    const std::string_view digits = name.substr(2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), tag, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      return std::unexpected("is no tag of 0x0000 to 0xffff");
    }
    if (is_written_by_session(tag)) return std::unexpected("is written by stentor itself");
    return append_octets(out, tag, value, {tag, octets, 0, kOpenMax, name});
  }
  const TlvKind* const kind = find_tlv_kind(name);
  if (kind == nullptr) {
    return std::unexpected("is no optional parameter of SMPP; a vendor's is named as 0x1400");
  }
  if (is_written_by_session(kind->tag)) return std::unexpected("is written by stentor itself");
  switch (kind->form) {
    case integer: return append_integer(out, *kind, value);
    case c_octets: return append_text(out, *kind, value);
    case octets: return append_octets(out, kind->tag, value, *kind);
    case flag: break;
  }
  if (value != TlvText(std::string_view())) return expected_but("\"\": it has no value");
  append_tlv(out, kind->tag, {});
  return {};
}

void append_merged(Octets& out, const Tlvs& first, const Tlvs& more) {
  for (const Tlv tlv : first) {
    if (more.find(tlv.tag).tag != tlv.tag) append_tlv(out, tlv.tag, tlv.value);
  }
  out.insert(out.end(), more.octets().begin(), more.octets().end());
}

}  // namespace stentor::protocol
