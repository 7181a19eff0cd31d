// A session whose peer misbehaves over time: floods, strangers' responses, old connections.
// Single PDUs that are wrong are in museum_test.cpp.
#include <gtest/gtest.h>

#include "protocol/pdu_stream.h"
#include "tests/protocol/conversation.h"

namespace stentor::protocol::test {
namespace {

constexpr TimePoint kStart = Conversation::kStart;

TEST(SessionFault, CountsWhatItPassesOver) {
  Conversation smsc;
  smsc.bind();
  (void)smsc.submit(1, kStart);

  smsc.hear(submit_resp(2, "a") + submit_resp(2, "a") + pdu(0x80000005, 0, 1) + pdu(0x777, 0, 1) +
                pdu(0x05, 0, 1) + pdu(0x80000015, 0, 77),
            kStart);

  const SessionStats& stats = smsc.session.stats();
  EXPECT_EQ(stats.pdus_in, 7u);   // and the bind_resp
  EXPECT_EQ(stats.pdus_out, 4u);  // bind, submit_sm, generic_nack, deliver_sm_resp
  EXPECT_EQ(stats.unexpected_responses, 3u);
  EXPECT_EQ(stats.unknown_commands, 1u);
  EXPECT_EQ(stats.malformed, 1u);
}

TEST(SessionFault, RefusesDeliveriesBeforeItIsBound) {
  Conversation smsc;
  smsc.session.on_connected(kStart);
  (void)smsc.sent();

  smsc.hear(deliver_sm(5, "x"), kStart);

  EXPECT_EQ(smsc.sent(), pdu(0x80000005, 0x04, 5, {0}));
  EXPECT_EQ(smsc.told(), Lines{});
}

// The outcome of a bind is in the header; who the SMSC says it is harms nobody.
void expect_bound_by_malformed(const Octets& body) {
  Conversation smsc;
  smsc.session.on_connected(kStart);
  (void)smsc.sent();

  smsc.hear(pdu(0x80000009, 0, 1, body), kStart);

  EXPECT_TRUE(smsc.session.is_bound());
  EXPECT_EQ(smsc.told(), Lines{"bound"});
  EXPECT_EQ(smsc.session.stats().malformed, 1u);
  EXPECT_EQ(smsc.sent(), Octets{}) << "a response is never answered";
  EXPECT_NE(smsc.submit(1, kStart), 0u);
}

TEST(SessionFault, IsBoundByABindRespWhoseSystemIdHasNoEndAndSaysSo) {
  expect_bound_by_malformed(hex("534d5343"));
}

TEST(SessionFault, IsBoundByABindRespWhoseTlvRunsPastItsEndAndSaysSo) {
  expect_bound_by_malformed(hex("534d534300 0210 0005 34"));
}

TEST(SessionFault, IgnoresABindRespOfAnotherKindOrNumber) {
  Conversation smsc;
  smsc.session.on_connected(kStart);

  smsc.hear(pdu(0x80000002, 0, 1) + pdu(0x80000009, 0, 2) + submit_resp(1, "x"), kStart);

  EXPECT_FALSE(smsc.session.is_bound());
  EXPECT_EQ(smsc.session.stats().unexpected_responses, 3u);
}

TEST(SessionFault, EndsWhenThePeerUnbindsInsteadOfBinding) {
  Conversation smsc;
  smsc.session.on_connected(kStart);
  (void)smsc.sent();

  smsc.hear(pdu(0x06, 0, 3), kStart);

  EXPECT_EQ(smsc.sent(), pdu(0x80000006, 0, 3));
  EXPECT_EQ(smsc.session.ended(), Ending::peer_unbound);
}

// A session is one connection. Its successor starts its numbers anew, and what the old one's
// numbers meant is gone with it.
TEST(SessionFault, MatchesNoResponseAcrossConnections) {
  Conversation before, after;
  before.bind();
  after.bind();
  EXPECT_EQ(before.submit(1, kStart), 2u);

  after.hear(submit_resp(2, "a"), kStart);

  EXPECT_EQ(after.told(), Lines{});
  EXPECT_EQ(after.session.stats().unexpected_responses, 1u);
}

TEST(SessionFault, SaysNothingMoreOnceItEnded) {
  Conversation smsc;
  smsc.bind();
  (void)smsc.submit(1, kStart);
  smsc.hear(octets_of("garbage"), kStart);
  (void)smsc.sent();

  smsc.hear(submit_resp(2, "a") + deliver_sm(5, "x") + pdu(0x15, 0, 9), kStart);
  smsc.session.answer(5, CommandStatus::ok);
  smsc.session.unbind(kStart);
  smsc.session.on_time(kStart + 1h);

  EXPECT_FALSE(smsc.session.has_outgoing());
  EXPECT_EQ(smsc.told(), Lines{});
  EXPECT_EQ(smsc.submit(2, kStart), 0u);
  EXPECT_EQ(smsc.session.ended(), Ending::broken_framing);
  ASSERT_EQ(smsc.session.take_unanswered().size(), 1u);
}

TEST(SessionFault, SaysHowMuchAPeerLetsPileUp) {
  Conversation smsc;
  smsc.bind();

  for (std::uint32_t number = 1; number <= 1000; ++number) smsc.hear(pdu(0x15, 0, number), kStart);

  EXPECT_EQ(smsc.session.outgoing_octets(), 16000u);
}

TEST(SessionFault, TellsAPeerToWaitThatFloodsWithDataSm) {
  Conversation smsc;
  smsc.bind();
  const Octets body = hex("00 010100 010100 00 00 00 0424 0001 78");
  for (std::uint32_t number = 1; number <= 16384; ++number) {
    smsc.hear(pdu(0x103, 0, number, body), kStart);
  }
  EXPECT_FALSE(smsc.session.has_outgoing());
  EXPECT_EQ(smsc.told().size(), 16384u);

  smsc.hear(pdu(0x103, 0, 20000, body), kStart);
  EXPECT_EQ(smsc.sent(), pdu(0x80000103, 0x14, 20000, {0}));
  smsc.session.answer(1, CommandStatus::ok);
  (void)smsc.sent();
  smsc.hear(pdu(0x103, 0, 20001, body), kStart);

  EXPECT_EQ(smsc.told().size(), 1u);
}

TEST(SessionFault, SkipsAnUnterminatedQueryRespAndSaysSo) {
  Conversation smsc;
  smsc.bind();
  ASSERT_TRUE(smsc.session.query({.message_id = "4f"}, 5, kStart));

  smsc.hear(pdu(0x80000003, 0, 2, hex("3466")), kStart);

  EXPECT_EQ(smsc.told(), Lines{"query 5 255  0"});
  EXPECT_EQ(smsc.session.stats().malformed, 1u);
}

TEST(SessionFault, TakesTheStateBehindADateOfAnyLength) {
  Conversation smsc;
  smsc.bind();
  ASSERT_TRUE(smsc.session.query({.message_id = "4f"}, 5, kStart));

  smsc.hear(
      pdu(0x80000003, 0, 2, hex("346600") + octets_of("2026-11-29 12:00:00 +03") + hex("00 02 00")),
      kStart);

  EXPECT_EQ(smsc.told(), Lines{"query 5 0 4f 2"});
  EXPECT_EQ(smsc.session.stats().malformed, 0u);
}

TEST(SessionFault, TakesARefusedQuery) {
  Conversation smsc;
  smsc.bind();
  ASSERT_TRUE(smsc.session.query({.message_id = "4f"}, 5, kStart));
  ASSERT_TRUE(smsc.session.cancel({.message_id = "4f"}, 6, kStart));

  smsc.hear(pdu(0x80000003, 0x67, 2) + pdu(0x80000000, 0x03, 3), kStart);

  EXPECT_EQ(smsc.told(), (Lines{"query 5 103  0", "cancel 6 3"}));
}

// A PDU that is only announced takes no memory; one that comes takes what has come.
TEST(PduStream, KeepsOnlyWhatHasCome) {
  PduStream stream(kPduOctetsMax);
  std::size_t whole = 0;
  const auto count = [&](std::span<const std::uint8_t> pdu) {
    whole += pdu.size();
    return true;
  };

  EXPECT_TRUE(stream.feed(hex("0001"), count));
  EXPECT_TRUE(stream.feed(hex("0000"), count));
  EXPECT_EQ(whole, 0u);
  for (std::size_t octets = 4; octets < 65536; ++octets) {
    ASSERT_TRUE(stream.feed(hex("61"), count));
    ASSERT_EQ(whole, octets + 1 == 65536 ? 65536u : 0u);
  }
  EXPECT_TRUE(stream.feed(pdu(0x15, 0, 1), count));
  EXPECT_EQ(whole, 65552u);
}

TEST(PduStream, StopsWhenItIsTold) {
  PduStream stream(kPduOctetsMax);
  int calls = 0;

  EXPECT_TRUE(stream.feed(pdu(0x15, 0, 1) + pdu(0x15, 0, 2), [&](auto) {
    ++calls;
    return false;
  }));

  EXPECT_EQ(calls, 1);
}

TEST(PduStream, LosesFramingInTheMiddleOfALength) {
  PduStream stream(1024);
  const auto ignore = [](auto) { return true; };
  EXPECT_TRUE(stream.feed(hex("000004"), ignore));

  const auto fed = stream.feed(hex("01"), ignore);

  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error(), CodecError::bad_length);
}

}  // namespace
}  // namespace stentor::protocol::test
