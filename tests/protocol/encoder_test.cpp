#include "protocol/encoder.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "protocol/control_pdu.h"
#include "protocol/decoder.h"
#include "tests/protocol/wire.h"

namespace stentor::protocol::test {
namespace {

TEST(Encoder, WritesASubmitSmOctetByOctet) {
  const Octets header = hex("050003 2a0201");
  const Octets text = hex("0416");
  Octets tlvs;
  append_tlv_u16(tlvs, tag::kUserMessageReference, 0x1234);
  const SubmitSm submit{.service_type = "CMT",
                        .source = {{5, 0}, "SHOP"},
                        .destination = {{1, 1}, "79161234567"},
                        .esm_class = 0x40,
                        .protocol_id = 0x7f,
                        .priority_flag = 1,
                        .schedule_delivery_time = "",
                        .validity_period = "000003000000000R",
                        .registered_delivery = 1,
                        .replace_if_present_flag = 0,
                        .data_coding = 8,
                        .sm_default_msg_id = 2,
                        .user_data_header = header,
                        .short_message = text,
                        .tlvs = Tlvs(tlvs)};
  Octets out;

  ASSERT_TRUE(append_submit_sm(out, 5, submit));

  EXPECT_EQ(out, hex("00000051 00000004 00000000 00000005"
                     "434d5400 05 00 53484f5000 01 01 373931363132333435363700"
                     "40 7f 01 00 30303030303330303030303030303052 00 01 00 08 02"
                     "08 050003 2a0201 0416 0204 0002 1234"));
}

TEST(Encoder, AppendsBehindWhatIsThere) {
  Octets out = hex("ffff");

  append_bare(out, CommandId::enquire_link, CommandStatus::ok, 7);

  EXPECT_EQ(out, hex("ffff 00000010 00000015 00000000 00000007"));
}

TEST(Encoder, WritesBarePdusWithoutABody) {
  Octets out;
  append_bare(out, CommandId::enquire_link_resp, CommandStatus::ok, 9);
  append_bare(out, CommandId::generic_nack, CommandStatus::invalid_command_id, 0);

  EXPECT_EQ(out, hex("00000010 80000015 00000000 00000009"
                     "00000010 80000000 00000003 00000000"));
}

TEST(Encoder, WritesIdsOfAnyLengthAsSmscsDo) {
  for (const std::size_t octets : {65u, 200u, 60000u}) {
    Octets out;
    ASSERT_TRUE(append_submit_resp(out, 1, CommandStatus::ok, std::string(octets, '7')));
    EXPECT_EQ(decode_submit_resp(out)->size(), octets);
  }
  Octets out;
  EXPECT_FALSE(append_submit_resp(out, 1, CommandStatus::ok, std::string(kPduOctetsMax - 16, '7')));
  EXPECT_FALSE(append_submit_resp(out, 1, CommandStatus::ok, std::string("4\0f", 3)));
  EXPECT_TRUE(out.empty());
}

TEST(Encoder, WritesResponsesWithABodyOnlyWhereThereIsSomethingToSay) {
  Octets out;
  ASSERT_TRUE(append_submit_resp(out, 1, CommandStatus::ok, "4f"));
  ASSERT_TRUE(append_submit_resp(out, 2, CommandStatus::throttled, "4f"));
  ASSERT_TRUE(append_bind_resp(out, 3, BindType::transmitter, CommandStatus::ok, {"SMSC", 0x34}));
  ASSERT_TRUE(append_bind_resp(out, 4, BindType::receiver, CommandStatus::ok, {"", 0}));
  ASSERT_TRUE(append_bind_resp(out, 5, BindType::transceiver, CommandStatus::invalid_password, {}));
  append_deliver_resp(out, 6, CommandStatus::ok);
  append_data_resp(out, 7, CommandStatus::message_queue_full);

  EXPECT_EQ(out, hex("00000013 80000004 00000000 00000001 346600"
                     "00000010 80000004 00000058 00000002"
                     "0000001a 80000002 00000000 00000003 534d534300 0210000134"
                     "00000011 80000001 00000000 00000004 00"
                     "00000010 80000009 0000000e 00000005"
                     "00000011 80000005 00000000 00000006 00"
                     "00000011 80000103 00000014 00000007 00"));
}

TEST(Encoder, PutsTheUserDataOfDataSmIntoItsPayload) {
  const Octets header = hex("050003010201");
  const Octets text = octets_of("hi");
  Octets out;

  ASSERT_TRUE(append_data_sm(out, 1,
                             {.source = {{5, 0}, "SHOP"},
                              .destination = {{1, 1}, "79"},
                              .esm_class = 0x40,
                              .registered_delivery = 1,
                              .user_data_header = header,
                              .short_message = text}));

  EXPECT_EQ(out, hex("0000002c 00000103 00000000 00000001"
                     "00 050053484f5000 0101373900 40 01 00 0424 0008 050003010201 6869"));
}

TEST(Encoder, WritesTlvs) {
  Octets out;
  append_tlv_u8(out, tag::kMoreMessagesToSend, 1);
  append_tlv_u16(out, tag::kSarMsgRefNum, 0x0102);
  append_tlv_text(out, tag::kReceiptedMessageId, "4f");
  append_tlv(out, 0x1400, {});

  EXPECT_EQ(out, hex("0426 0001 01 020c 0002 0102 001e 0003 346600 1400 0000"));
}

// One octet past each field: nothing is written, not even a part.
TEST(Encoder, RefusesWhatDoesNotFitItsField) {
  const Octets most(254, 'x');
  const Octets too_much(255, 'x');
  const Octets one{'x'};
  const std::string digits(21, '7');
  Octets out;
  const auto is_refused = [&](const SubmitSm& submit) {
    const auto appended = append_submit_sm(out, 1, submit);
    return !appended && appended.error() == CodecError::field_too_long && out.empty();
  };

  EXPECT_TRUE(is_refused({.service_type = "CMTCMT"}));
  EXPECT_TRUE(is_refused({.source = {{}, digits}}));
  EXPECT_TRUE(is_refused({.destination = {{}, digits}}));
  EXPECT_TRUE(is_refused({.schedule_delivery_time = "000003000000000R0"}));
  EXPECT_TRUE(is_refused({.validity_period = "000003000000000R0"}));
  EXPECT_TRUE(is_refused({.short_message = too_much}));
  EXPECT_TRUE(is_refused({.user_data_header = one, .short_message = most}));
  EXPECT_FALSE(is_refused({.service_type = "CMTCM",
                           .source = {{}, std::string_view(digits).substr(1)},
                           .destination = {{}, std::string_view(digits).substr(1)},
                           .schedule_delivery_time = "000003000000000R",
                           .validity_period = "000003000000000R",
                           .short_message = most}));
}

// GSM `@` is 0x00: as a sender it would end the field, and every field behind it would slip.
TEST(Encoder, RefusesATextWithANul) {
  using namespace std::string_view_literals;
  Octets out;

  const auto appended = append_submit_sm(out, 1, {.source = {{5, 0}, "SH\0P"sv}});

  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error(), CodecError::field_too_long);
  EXPECT_TRUE(out.empty());
}

TEST(Encoder, RefusesAPduOverTheLimit) {
  constexpr std::size_t kRoom = kPduOctetsMax - 33 - 4;  // less an empty submit_sm, tag and length
  Octets fitting, too_long, out;
  append_tlv(fitting, tag::kMessagePayload, Octets(kRoom));
  append_tlv(too_long, tag::kMessagePayload, Octets(kRoom + 1));

  EXPECT_FALSE(append_submit_sm(out, 1, {.tlvs = Tlvs(too_long)}));
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(append_submit_sm(out, 1, {.tlvs = Tlvs(fitting)}));
  EXPECT_EQ(out.size(), kPduOctetsMax);
}

TEST(ControlPdu, WritesABindOctetByOctet) {
  Octets out;

  ASSERT_TRUE(pack_bind(out, 1,
                        {.type = BindType::transceiver,
                         .system_id = "stentor",
                         .password = "secret12",
                         .system_type = "VMA",
                         .interface_version = 0x34,
                         .numbering = {1, 1},
                         .address_range = "^7"}));

  EXPECT_EQ(out, hex("0000002b 00000009 00000000 00000001"
                     "7374656e746f7200 736563726574313200 564d4100 34 01 01 5e3700"));
}

// Numbers that libsmpp34 refuses are no reason not to bind.
TEST(ControlPdu, WritesVersionsAndNumberingsOfOtherPeers) {
  for (const std::uint8_t version : Octets{0x00, 0x33, 0x50, 0xff}) {
    const Bind bind{.system_id = "a",
                    .password = "b",
                    .interface_version = version,
                    .numbering = {7, 99},
                    .address_range = "c"};
    Octets packed;
    ASSERT_TRUE(pack_bind(packed, 1, bind));
    EXPECT_EQ(packed, pdu(0x09, 0, 1, hex("6100 6200 00") + Octets{version, 7, 99, 'c', 0}));
  }
}

TEST(ControlPdu, WritesUnbindQueryAndCancel) {
  Octets out;
  ASSERT_TRUE(pack_unbind(out, 2));
  ASSERT_TRUE(pack_query_sm(out, 3, {.message_id = "4f", .source = {{6, 200}, "SHOP"}}));
  ASSERT_TRUE(pack_cancel_sm(out, 4,
                             {.service_type = "",
                              .message_id = "4f",
                              .source = {{9, 1}, "SHOP"},
                              .destination = {{1, 77}, "79"}}));

  EXPECT_EQ(out, hex("00000010 00000006 00000000 00000002"
                     "0000001a 00000003 00000000 00000003 346600 06c8 53484f5000"
                     "00000020 00000008 00000000 00000004 00 346600 0901 53484f5000 014d 373900"));
}

TEST(ControlPdu, RefusesWhatDoesNotFit) {
  Octets out;
  EXPECT_FALSE(pack_bind(out, 1, {.system_id = "0123456789012345"}));
  EXPECT_FALSE(pack_bind(out, 1, {.password = "012345678"}));
  EXPECT_FALSE(pack_bind(out, 1, {.system_type = "0123456789012"}));
  const std::string long_text(65, '1');
  EXPECT_FALSE(pack_bind(out, 1, {.address_range = std::string_view(long_text).substr(0, 41)}));
  EXPECT_FALSE(pack_query_sm(out, 1, {.message_id = long_text, .source = {}}));
  EXPECT_FALSE(pack_cancel_sm(
      out, 1, {.service_type = "", .message_id = long_text, .source = {}, .destination = {}}));
  EXPECT_TRUE(out.empty());
}

// libsmpp34 keeps what it does in process-wide variables; each link of ours has a thread of its
// own.
TEST(ControlPdu, IsPackedOnSeveralThreadsAtOnce) {
  constexpr std::uint32_t kThreads = 4;
  std::array<bool, kThreads> is_right{};
  const auto pack = [&](std::uint32_t thread) {
    const std::string id(thread * 10 + 1, static_cast<char>('a' + thread));
    Octets by_hand;
    bool right = append_query_sm(by_hand, thread + 1, {.message_id = id}).has_value();
    for (int round = 0; round < 500; ++round) {
      Octets packed;
      right = pack_query_sm(packed, thread + 1, {.message_id = id}) && packed == by_hand && right;
    }
    is_right[thread] = right;
  };

  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (std::uint32_t thread = 0; thread < kThreads; ++thread) threads.emplace_back(pack, thread);
  }

  for (const bool right : is_right) EXPECT_TRUE(right);
}

// By addresses alone it would cancel every message between the two.
TEST(ControlPdu, RefusesToCancelWithoutAnId) {
  Octets out;
  EXPECT_FALSE(pack_cancel_sm(out, 1, {.source = {{1, 1}, "7"}, .destination = {{1, 1}, "79"}}));
}

}  // namespace
}  // namespace stentor::protocol::test
