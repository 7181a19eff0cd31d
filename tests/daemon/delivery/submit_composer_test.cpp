#include "daemon/delivery/submit_composer.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "protocol/tlv_kinds.h"

namespace stentor::daemon {
namespace {

namespace tag = protocol::tag;
using namespace std::chrono_literals;

constexpr std::uint64_t kNowMs = 1'790'000'000'000;  // 2026-09-21 14:13:20 UTC
constexpr std::uint32_t kExpires = 1'790'090'061;    // a day, an hour, a minute and a second later

// A message as reserving leaves it.
class SubmitComposerTest : public testing::Test {
 protected:
  protocol::SubmitSm compose(std::string_view text, std::uint16_t part = 0) {
    content_.body = text;
    return compose(content_, part);
  }
  protocol::SubmitSm compose(const Content& content, std::uint16_t part = 0) {
    auto plan = MessagePlan::make(content, carrier_, 255);
    EXPECT_TRUE(plan);
    sending_.content = content;
    sending_.plan = std::move(*plan);
    sending_.subject.id = MessageId::make(kNowMs, 1, 2, 3);
    sending_.subject.parts = static_cast<std::uint8_t>(sending_.plan.parts());
    sending_.accepted.reference = 0x1234;
    sending_.accepted.tlvs = message_tlvs_;
    sending_.accepted.expires = kExpires;
    sending_.source.digits = "SHOP";
    sending_.destination.digits = "79161234567";
    return composer_.compose(sending_, part, peer_version_, kNowMs);
  }
  // The value of one parameter; empty where it is not there.
  static protocol::Octets value_of(const protocol::SubmitSm& submit, std::uint16_t tag) {
    const auto value = submit.tlvs.find(tag).value;
    return {value.begin(), value.end()};
  }
  static std::size_t tlvs_in(const protocol::SubmitSm& submit) {
    std::size_t count = 0;
    for (const protocol::Tlv tlv : submit.tlvs) count += tlv.tag != 0 ? 1 : 0;
    return count;
  }

  CarrierConfig carrier_;
  std::uint8_t peer_version_ = 0x34;
  Content content_;
  Sending sending_;
  protocol::Octets message_tlvs_;
  SubmitComposer composer_{carrier_};
};

const std::string kLong(200, 'a');  // two parts

TEST_F(SubmitComposerTest, NumbersEachSegmentTheSameAtEveryAttempt) {
  std::set<std::uint16_t> references;
  for (std::uint64_t sequence = 1; sequence <= 1000; ++sequence) {
    const MessageId id = MessageId::make(kNowMs, 1, 2, sequence);
    for (std::uint16_t part = 0; part < 8; ++part) {
      references.insert(user_message_reference_of(id, part));
      EXPECT_EQ(user_message_reference_of(id, part), user_message_reference_of(id, part));
    }
  }
  EXPECT_EQ(references.size(), 8000u);
  EXPECT_EQ(value_of(compose("x"), tag::kUserMessageReference), (protocol::Octets{0, 24}));

  carrier_.wire.user_message_reference = TlvUse::never;
  EXPECT_EQ(tlvs_in(compose("x")), 0u);
}

// Section 3.4: who tells no sc_interface_version knows no optional parameters. What the
// configuration or the message asks for goes all the same.
TEST_F(SubmitComposerTest, SendsNobodyWhatHeMayNotKnowUnlessItIsAskedFor) {
  for (const std::uint8_t peer : {std::uint8_t{0x00}, std::uint8_t{0x33}}) {
    peer_version_ = peer;
    EXPECT_EQ(tlvs_in(compose(kLong, 0)), 0u) << "version " << int{peer};
  }
  for (const std::uint8_t peer : {std::uint8_t{0x34}, std::uint8_t{0x50}}) {
    peer_version_ = peer;
    EXPECT_EQ(tlvs_in(compose(kLong, 0)), 2u) << "version " << int{peer};
  }

  peer_version_ = 0;
  carrier_.wire.user_message_reference = TlvUse::always;
  EXPECT_EQ(value_of(compose(kLong, 0), tag::kUserMessageReference), (protocol::Octets{0, 24}));
  EXPECT_TRUE(value_of(compose(kLong, 0), tag::kMoreMessagesToSend).empty());
  carrier_.wire.more_messages_to_send = TlvUse::always;
  EXPECT_EQ(value_of(compose(kLong, 0), tag::kMoreMessagesToSend), protocol::Octets{1});

  carrier_.wire.user_message_reference = TlvUse::where_known;
  carrier_.wire.more_messages_to_send = TlvUse::where_known;
  carrier_.long_messages = LongMessages::sar;
  protocol::append_tlv_u16(carrier_.wire.tlvs, 0x1400, 1);
  EXPECT_EQ(tlvs_in(compose(kLong, 0)), 4u) << "the tie's three, and the carrier's own";
}

TEST_F(SubmitComposerTest, TellsThePriorityThatTheCarrierHasForOurs) {
  const auto told = [&](queue::Priority priority) {
    sending_.pick.priority = priority;
    return compose("x").priority_flag;
  };
  for (const auto priority :
       {queue::Priority::urgent, queue::Priority::normal, queue::Priority::bulk}) {
    EXPECT_EQ(told(priority), 0);
  }
  carrier_.priority_flags = {3, 1, 0};
  EXPECT_EQ(told(queue::Priority::urgent), 3);
  EXPECT_EQ(told(queue::Priority::normal), 1);
  EXPECT_EQ(told(queue::Priority::bulk), 0);
}

TEST_F(SubmitComposerTest, SaysThatMoreComesOnAllPartsButTheLast) {
  EXPECT_EQ(value_of(compose(kLong, 0), tag::kMoreMessagesToSend), protocol::Octets{1});
  EXPECT_TRUE(value_of(compose(kLong, 1), tag::kMoreMessagesToSend).empty());
  EXPECT_TRUE(value_of(compose("alone"), tag::kMoreMessagesToSend).empty());

  carrier_.wire.more_messages_to_send = TlvUse::never;
  EXPECT_TRUE(value_of(compose(kLong, 0), tag::kMoreMessagesToSend).empty());
}

TEST_F(SubmitComposerTest, TiesPartsByAHeaderOrByParametersAndNeverByBoth) {
  const auto by_header = compose(kLong, 0);
  EXPECT_EQ(by_header.esm_class, 0x40);
  EXPECT_TRUE(value_of(by_header, tag::kSarMsgRefNum).empty());

  carrier_.long_messages = LongMessages::sar;
  const auto by_parameters = compose(kLong, 1);
  EXPECT_EQ(by_parameters.esm_class, 0);
  EXPECT_EQ(value_of(by_parameters, tag::kSarMsgRefNum), (protocol::Octets{0x12, 0x34}));
  EXPECT_EQ(value_of(by_parameters, tag::kSarTotalSegments), protocol::Octets{2});
  EXPECT_EQ(value_of(by_parameters, tag::kSarSegmentSeqnum), protocol::Octets{2});
  EXPECT_TRUE(value_of(compose("alone"), tag::kSarMsgRefNum).empty());
}

// A header of the caller's, or of a national table, is there in any case: the tie joins it.
TEST_F(SubmitComposerTest, TiesByAHeaderWhereThereIsOneEvenIfTheCarrierPrefersParameters) {
  carrier_.long_messages = LongMessages::sar;
  content_.is_binary = true;
  content_.udh = std::string_view("\x03\x24\x01\x01", 4);
  for (std::uint16_t part = 0; part < 2; ++part) {
    const auto binary = compose(kLong, part);
    EXPECT_EQ(binary.esm_class, 0x40);
    EXPECT_TRUE(value_of(binary, tag::kSarMsgRefNum).empty());
  }

  content_ = {};
  content_.national.allow(encoding::NationalLanguage::turkish);
  std::string turkish;
  for (int i = 0; i < 200; ++i) turkish += "ş";
  const auto national = compose(turkish, 0);
  EXPECT_EQ(sending_.plan.encoding_word(), "gsm7");
  EXPECT_EQ(national.esm_class, 0x40);
  EXPECT_TRUE(value_of(national, tag::kSarMsgRefNum).empty());
}

TEST_F(SubmitComposerTest, SendsTheCarriersParametersAndTheMessagesOwnBeforeThem) {
  protocol::append_tlv_u16(carrier_.wire.tlvs, 0x1400, 1);
  protocol::append_tlv_u16(carrier_.wire.tlvs, 0x1401, 2);
  protocol::append_tlv_u16(message_tlvs_, 0x1401, 3);
  const auto submit = compose(kLong, 0);
  EXPECT_EQ(value_of(submit, 0x1400), (protocol::Octets{0, 1}));
  EXPECT_EQ(value_of(submit, 0x1401), (protocol::Octets{0, 3}));
  EXPECT_EQ(tlvs_in(submit), 4u);
  EXPECT_EQ(value_of(compose(kLong, 1), 0x1401), (protocol::Octets{0, 3})) << "with every part";
}

TEST_F(SubmitComposerTest, TheMessagesServiceTypeAndProtocolIdGoBeforeTheCarriers) {
  carrier_.service_type = "CMT";
  EXPECT_EQ(compose("x").service_type, "CMT");
  EXPECT_EQ(compose("x").protocol_id, 0);

  sending_.accepted.service_type = "WAP";
  sending_.accepted.protocol_id = 0x41;
  EXPECT_EQ(compose("x").service_type, "WAP");
  EXPECT_EQ(compose("x").protocol_id, 0x41);

  sending_.accepted.service_type = "";
  EXPECT_EQ(compose("x").service_type, "") << "none, on purpose";
}

TEST_F(SubmitComposerTest, AsksForReceiptsAsTheMessageWishesAndTheCarrierWantsItSaid) {
  const auto asked = [&](ReceiptWish wish) {
    sending_.accepted.receipt = wish;
    return compose("x").registered_delivery;
  };
  EXPECT_EQ(asked(ReceiptWish::all), 1);
  EXPECT_EQ(asked(ReceiptWish::failure), 2);
  EXPECT_EQ(asked(ReceiptWish::none), 0);

  carrier_.wire.registered_delivery = 0x11;
  EXPECT_EQ(asked(ReceiptWish::all), 0x11);
  EXPECT_EQ(asked(ReceiptWish::failure), 0x12);
  EXPECT_EQ(asked(ReceiptWish::none), 0);
}

TEST_F(SubmitComposerTest, TellsTheExpiryInTheCarriersForm) {
  EXPECT_EQ(compose("x").validity_period, "000001010101000R");
  carrier_.validity = ValidityForm::absolute;
  EXPECT_EQ(compose("x").validity_period, "260922151421000+");
  carrier_.validity = ValidityForm::none;
  EXPECT_EQ(compose("x").validity_period, "");
}

// The message has a day, an hour, a minute and a second left.
TEST_F(SubmitComposerTest, TellsNoLongerExpiryThanTheCarrierTakes) {
  carrier_.validity_max = 25h + 1min + 1s;
  EXPECT_EQ(compose("x").validity_period, "000001010101000R");
  carrier_.validity_max = 25h + 1min;
  EXPECT_EQ(compose("x").validity_period, "000001010100000R");
  carrier_.validity = ValidityForm::absolute;
  EXPECT_EQ(compose("x").validity_period, "260922151420000+");
  carrier_.wire.by_data_sm = true;
  EXPECT_EQ(value_of(compose("x"), tag::kQosTimeToLive), (protocol::Octets{0, 1, 0x5f, 0xcc}));
}

// data_sm has no validity_period: qos_time_to_live says it in seconds.
TEST_F(SubmitComposerTest, DataSmCarriesItsExpiryAsSeconds) {
  carrier_.wire.by_data_sm = true;
  const auto data = compose("x");
  EXPECT_EQ(data.validity_period, "");
  EXPECT_EQ(value_of(data, tag::kQosTimeToLive), (protocol::Octets{0, 1, 0x5f, 0xcd}));
  carrier_.validity = ValidityForm::none;
  EXPECT_TRUE(value_of(compose("x"), tag::kQosTimeToLive).empty());
}

TEST_F(SubmitComposerTest, WhatDoesNotFitShortMessageTravelsAsPayload) {
  carrier_.long_messages = LongMessages::payload;
  const std::string fits(254, 'a');
  EXPECT_EQ(compose(fits).short_message.size(), 254u);
  const std::string too_long(255, 'a');
  const auto submit = compose(too_long);
  EXPECT_TRUE(submit.short_message.empty());
  EXPECT_EQ(value_of(submit, tag::kMessagePayload).size(), 255u);
}

}  // namespace
}  // namespace stentor::daemon
