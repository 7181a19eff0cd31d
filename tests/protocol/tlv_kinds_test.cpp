#include "protocol/tlv_kinds.h"

#include <gtest/gtest.h>

#include <string_view>

namespace stentor::protocol {
namespace {

using namespace std::string_view_literals;

Octets append(std::string_view name, const TlvText& value) {
  Octets out;
  const auto appended = append_tlv_by_name(out, name, value);
  EXPECT_TRUE(appended) << name << ": " << appended.error();
  return out;
}

TlvFault fault_of(std::string_view name, const TlvText& value) {
  Octets out;
  const auto appended = append_tlv_by_name(out, name, value);
  EXPECT_FALSE(appended) << name;
  EXPECT_TRUE(out.empty()) << "nothing is left of what was refused";
  return appended ? "" : appended.error();
}

// SMPP 3.4 section 5.3.2, table 5-7 for the tags, read by hand. A bit mask of one octet is a
// number.
TEST(TlvKinds, KnowsEveryParameterOfTheStandardByNameWithItsFormAndSize) {
  using enum TlvForm;
  constexpr std::uint16_t kUnbounded = 255;  // by the standard; a message's own TLVs are bounded
  const TlvKind table[] = {
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
      {0x0424, octets, 0, kUnbounded, "message_payload"},
      {0x0425, integer, 1, 1, "delivery_failure_reason"},
      {0x0426, integer, 1, 1, "more_messages_to_send"},
      {0x0427, integer, 1, 1, "message_state"},
      {0x0501, octets, 1, 1, "ussd_service_op"},
      {0x1201, integer, 1, 1, "display_time"},
      {0x1203, integer, 2, 2, "sms_signal"},
      {0x1204, octets, 1, 4, "ms_validity"},  // 1 octet in 3.4; 5.0 has up to 4
      {0x130c, flag, 0, 0, "alert_on_message_delivery"},
      {0x1380, integer, 1, 1, "its_reply_type"},
      {0x1383, octets, 2, 2, "its_session_info"},
  };
  for (const TlvKind& expected : table) {
    SCOPED_TRACE(expected.name);
    const TlvKind* const kind = find_tlv_kind(expected.name);
    ASSERT_NE(kind, nullptr);
    EXPECT_EQ(kind->tag, expected.tag);
    EXPECT_EQ(kind->form, expected.form);
    EXPECT_EQ(kind->octets_min, expected.octets_min);
    EXPECT_EQ(kind->octets_max, expected.octets_max);
    EXPECT_EQ(find_tlv_kind(expected.tag)->name, expected.name);
  }
  EXPECT_EQ(find_tlv_kind("dest_port")->tag, 0x020b) << "5.0's name for destination_port";
  EXPECT_EQ(find_tlv_kind("congestion_state")->tag, 0x0428) << "5.0";
  EXPECT_EQ(find_tlv_kind("colour"), nullptr);
  EXPECT_EQ(find_tlv_kind(std::uint16_t{0x1400}), nullptr);
}

TEST(TlvKinds, WritesAValueInTheFormOfItsParameter) {
  EXPECT_EQ(append("privacy_indicator", std::uint64_t{3}), (Octets{0x02, 0x01, 0, 1, 3}));
  EXPECT_EQ(append("source_port", std::uint64_t{0x1234}), (Octets{0x02, 0x0a, 0, 2, 0x12, 0x34}));
  EXPECT_EQ(append("additional_status_info_text", "ab"sv), (Octets{0x00, 0x1d, 0, 3, 'a', 'b', 0}));
  EXPECT_EQ(append("dest_subaddress", "a088"sv), (Octets{0x02, 0x03, 0, 2, 0xa0, 0x88}));
  EXPECT_EQ(append("alert_on_message_delivery", ""sv), (Octets{0x13, 0x0c, 0, 0}));
  EXPECT_EQ(append("0x1400", "0AfF"sv), (Octets{0x14, 0x00, 0, 2, 0x0a, 0xff}));
  EXPECT_EQ(append("0x3fff", ""sv), (Octets{0x3f, 0xff, 0, 0}));
}

TEST(TlvKinds, HoldsValuesToTheirBounds) {
  EXPECT_EQ(append("display_time", std::uint64_t{255}).back(), 255);
  EXPECT_EQ(fault_of("display_time", std::uint64_t{256}), "must be a number of 0 to 255");
  EXPECT_EQ(append("source_port", std::uint64_t{65535}).size(), 6u);
  EXPECT_EQ(fault_of("source_port", std::uint64_t{65536}), "must be a number of 0 to 65535");
  EXPECT_EQ(fault_of("source_port", "0011"sv), "must be a number of 0 to 65535");
  EXPECT_EQ(append("callback_num", "01010101"sv).size(), 8u);
  EXPECT_EQ(fault_of("callback_num", "010101"sv), "must be 4 to 19 octets");
  EXPECT_EQ(fault_of("callback_num", std::uint64_t{1}),
            "must be a text of pairs of hexadecimal digits");
  EXPECT_EQ(append("0x1400", std::string(510, '0')).size(), 4u + 255);
  EXPECT_EQ(fault_of("0x1400", std::string(512, '0')), "must be 0 to 255 octets");
  EXPECT_EQ(fault_of("0x1400", "0"sv), "must be a text of pairs of hexadecimal digits");
  EXPECT_EQ(fault_of("0x1400", "0g"sv), "must be a text of pairs of hexadecimal digits");
  EXPECT_EQ(fault_of("additional_status_info_text", "a\0b"sv),
            "must be a text of at most 255 octets");
  EXPECT_EQ(fault_of("alert_on_message_delivery", std::uint64_t{1}),
            "must be \"\": it has no value");
}

TEST(TlvKinds, SaysWhatIsNoParameter) {
  EXPECT_EQ(fault_of("colour", "00"sv),
            "is no optional parameter of SMPP; a vendor's is named as 0x1400");
  for (const auto name : {"0x", "0x10000", "0xzz", "0x12 "}) {
    EXPECT_EQ(fault_of(name, "00"sv), "is no tag of 0x0000 to 0xffff") << name;
  }
}

TEST(TlvKinds, LeavesToTheSessionWhatTheSessionWrites) {
  for (const auto name :
       {"user_message_reference", "sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum",
        "message_payload", "more_messages_to_send", "qos_time_to_live", "0x0424", "0x020C"}) {
    EXPECT_EQ(fault_of(name, std::uint64_t{1}), "is written by stentor itself") << name;
  }
}

TEST(TlvKinds, TheNearerWordWinsWhereTwoSayTheSame) {
  Octets carrier;
  append_tlv_u16(carrier, 0x1400, 1);
  append_tlv_u16(carrier, 0x1401, 2);
  Octets message;
  append_tlv_u8(message, 0x1401, 9);

  Octets merged;
  append_merged(merged, Tlvs(carrier), Tlvs(message));

  EXPECT_EQ(merged, (Octets{0x14, 0x00, 0, 2, 0, 1, 0x14, 0x01, 0, 1, 9}));
}

}  // namespace
}  // namespace stentor::protocol
