// What a session does of its own accord and what it answers, as wire scripts. Faults of the peer
// are in session_fault_test.cpp, time in session_time_test.cpp.
#include "protocol/session.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/protocol/conversation.h"

namespace stentor::protocol::test {
namespace {

constexpr TimePoint kStart = Conversation::kStart;

TEST(Session, BindsWhenConnected) {
  Conversation smsc({.bind = BindType::transceiver, .system_id = "stentor", .password = "secret"});

  smsc.session.on_connected(kStart);
  EXPECT_EQ(smsc.sent(), pdu(0x09, 0, 1, hex("7374656e746f7200 73656372657400 00 34 00 00 00")));
  EXPECT_FALSE(smsc.session.is_bound());
  smsc.hear(pdu(0x80000009, 0, 1, hex("534d534300 0210000150")), kStart);

  EXPECT_TRUE(smsc.session.is_bound());
  EXPECT_EQ(smsc.told(), Lines{"bound"});
  EXPECT_EQ(smsc.session.peer_interface_version(), 0x50);
  EXPECT_FALSE(smsc.session.has_outgoing());
}

TEST(Session, BindsAsEachType) {
  const std::pair<BindType, std::uint32_t> types[] = {
      {BindType::transmitter, 2}, {BindType::receiver, 1}, {BindType::transceiver, 9}};
  for (const auto& [type, command_id] : types) {
    Conversation smsc({.bind = type});
    smsc.session.on_connected(kStart);
    EXPECT_EQ(smsc.sent()[7], command_id);
    smsc.hear(pdu(0x80000000 | command_id, 0, 1), kStart);
    EXPECT_TRUE(smsc.session.is_bound()) << "a bind_resp without a body";
    EXPECT_EQ(smsc.session.window_free(), type == BindType::receiver ? 0u : 100u);
  }
}

TEST(Session, SaysWhyABindWasRefused) {
  Conversation smsc;
  smsc.session.on_connected(kStart);

  smsc.hear(pdu(0x80000009, 0x0e, 1), kStart);

  EXPECT_EQ(smsc.session.ended(), Ending::bind_refused);
  EXPECT_EQ(smsc.session.bind_status(), CommandStatus::invalid_password);
  EXPECT_EQ(smsc.told(), Lines{});
}

// drive_smpp and other simple servers do not know bind_transceiver.
TEST(Session, TakesAGenericNackOfItsBindAsARefusal) {
  Conversation smsc;
  smsc.session.on_connected(kStart);

  smsc.hear(pdu(0x80000000, 0x03, 1), kStart);

  EXPECT_EQ(smsc.session.ended(), Ending::bind_refused);
  EXPECT_EQ(smsc.session.bind_status(), CommandStatus::invalid_command_id);
}

TEST(Session, RefusesItsOwnCredentialsWhenTheyDoNotFit) {
  const std::pair<SessionConfig, CommandStatus> unfit[] = {
      {{.system_id = "0123456789abcdef"}, CommandStatus::invalid_system_id},
      {{.password = "012345678"}, CommandStatus::invalid_password},
      {{.system_type = "0123456789abc"}, CommandStatus::invalid_system_type},
      {{.address_range = std::string(41, '1')}, CommandStatus::bind_failed}};
  for (const auto& [config, status] : unfit) {
    Conversation smsc(config);
    smsc.session.on_connected(kStart);
    EXPECT_EQ(smsc.session.ended(), Ending::bind_refused);
    EXPECT_EQ(smsc.session.bind_status(), status);
    EXPECT_FALSE(smsc.session.has_outgoing());
  }
}

TEST(Session, SubmitsOnlyWhenBoundForSending) {
  Conversation smsc;
  EXPECT_EQ(smsc.submit(1, kStart), 0u);
  smsc.session.on_connected(kStart);
  EXPECT_EQ(smsc.submit(1, kStart), 0u);

  Conversation receiver({.bind = BindType::receiver});
  receiver.bind();
  EXPECT_TRUE(receiver.session.is_bound());
  EXPECT_EQ(receiver.submit(1, kStart), 0u);
}

TEST(Session, SubmitsAndHandsBackTheResponse) {
  Conversation smsc;
  smsc.bind();

  EXPECT_EQ(smsc.submit(77, kStart), 2u);
  EXPECT_EQ(smsc.sent(), pdu(0x04, 0, 2,
                             hex("00 050053484f5000 0101373931363132333435363700 000000 00 00 "
                                 "01 00 00 00 02 6869")));
  EXPECT_EQ(smsc.session.in_flight(), 1u);
  smsc.hear(submit_resp(2, "4f"), kStart);

  EXPECT_EQ(smsc.told(), Lines{"resp 77 0 4f"});
  EXPECT_EQ(smsc.session.in_flight(), 0u);
}

TEST(Session, MatchesResponsesInAnyOrder) {
  Conversation smsc;
  smsc.bind();
  for (std::uint64_t cookie = 1; cookie <= 3; ++cookie) (void)smsc.submit(cookie, kStart);

  smsc.hear(submit_resp(4, "c") + submit_resp(2, "a") + submit_resp(3, "b"), kStart);

  EXPECT_EQ(smsc.told(), (Lines{"resp 3 0 c", "resp 1 0 a", "resp 2 0 b"}));
}

TEST(Session, NeverExceedsItsWindow) {
  Conversation smsc({.limits = {.window = 3}});
  smsc.bind();

  EXPECT_EQ(smsc.session.window_free(), 3u);
  for (std::uint64_t cookie = 1; cookie <= 3; ++cookie) EXPECT_NE(smsc.submit(cookie, kStart), 0u);
  EXPECT_EQ(smsc.session.window_free(), 0u);
  EXPECT_EQ(smsc.submit(4, kStart), 0u);
  smsc.hear(submit_resp(3, "b"), kStart);

  EXPECT_EQ(smsc.session.window_free(), 1u);
  EXPECT_NE(smsc.submit(4, kStart), 0u);
}

TEST(Session, MaySubmitFromWithinAResponse) {
  Conversation smsc({.limits = {.window = 1}});
  smsc.bind();
  (void)smsc.submit(1, kStart);
  smsc.after_resp = [&] { EXPECT_NE(smsc.submit(2, kStart), 0u); };
  (void)smsc.sent();

  smsc.hear(submit_resp(2, "a"), kStart);

  EXPECT_EQ(smsc.sent()[15], 3);
  EXPECT_EQ(smsc.session.in_flight(), 1u);
}

TEST(Session, RefusesAFieldThatDoesNotFitAndGoesOn) {
  Conversation smsc;
  smsc.bind();
  const Octets long_text(255);

  const auto refused = smsc.session.submit({.short_message = long_text}, 1, kStart);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), CodecError::field_too_long);
  EXPECT_EQ(smsc.session.in_flight(), 0u);
  EXPECT_EQ(smsc.submit(2, kStart), 2u) << "no sequence_number was used up";
}

TEST(Session, CountsSequenceNumbersToTheLastAndThenFromOne) {
  Conversation smsc({.first_sequence_number = 0x7ffffffe});
  smsc.session.on_connected(kStart);
  smsc.hear(pdu(0x80000009, 0, 0x7ffffffe), kStart);

  EXPECT_EQ(smsc.submit(1, kStart), 0x7fffffffu);
  EXPECT_EQ(smsc.submit(2, kStart), 1u);
  smsc.hear(submit_resp(1, "b") + submit_resp(0x7fffffff, "a"), kStart);

  EXPECT_EQ(smsc.told(), (Lines{"bound", "resp 2 0 b", "resp 1 0 a"}));
}

// A straggler keeps its place in the table; the numbers go round it.
TEST(Session, GoesOnAroundAResponseThatIsLate) {
  Conversation smsc({.limits = {.window = 2}});
  smsc.bind();
  EXPECT_EQ(smsc.submit(1, kStart), 2u);

  for (std::uint64_t cookie = 2; cookie < 1000; ++cookie) {
    const std::uint32_t sequence_number = smsc.submit(cookie, kStart);
    ASSERT_NE(sequence_number, 0u);
    ASSERT_NE(sequence_number, 2u);
    smsc.hear(submit_resp(sequence_number, "x"), kStart);
  }
  (void)smsc.told();
  smsc.hear(submit_resp(2, "late"), kStart);

  EXPECT_EQ(smsc.told(), Lines{"resp 1 0 late"});
}

TEST(Session, TakesADeliverSmAndAnswersWhenTold) {
  Conversation smsc;
  smsc.bind();

  smsc.hear(deliver_sm(900, "id:1 stat:DELIVRD", 4), kStart);
  EXPECT_EQ(smsc.told(), Lines{"deliver 900 id:1 stat:DELIVRD"});
  EXPECT_FALSE(smsc.session.has_outgoing()) << "not before it is durable";
  smsc.session.answer(900, CommandStatus::ok);

  EXPECT_EQ(smsc.sent(), pdu(0x80000005, 0, 900, {0}));
}

TEST(Session, TakesADataSmLikeADeliverSmAndAnswersInKind) {
  Conversation smsc;
  smsc.bind();

  smsc.hear(pdu(0x103, 0, 5, hex("00 0101373900 050053484f5000 04 00 00 0424 0002 6869")), kStart);
  EXPECT_EQ(smsc.told(), Lines{"deliver 5 hi"});
  smsc.hear(deliver_sm(6, "ho"), kStart);
  smsc.session.answer(6, CommandStatus::ok);
  smsc.session.answer(5, CommandStatus::ok);

  EXPECT_EQ(smsc.sent(), pdu(0x80000005, 0, 6, {0}) + pdu(0x80000103, 0, 5, {0}));
}

// Refused, it would come again for ever and hold up what stands behind it.
TEST(Session, TakesADeliveryWhoseTextsAreLongerThanTheyMayBe) {
  Conversation smsc;
  smsc.bind();
  const Octets number(21, '7');

  smsc.hear(pdu(0x05, 0, 7,
                hex("574150574150 00 0101") + number +
                    hex("00 050053484f5000 00 0000 0000 00000000 02 6869")),
            kStart);
  smsc.hear(
      pdu(0x103, 0, 8,
          hex("574150574150 00 0101") + number + hex("00 050053484f5000 00 00 00 0424 0002 686f")),
      kStart);

  EXPECT_EQ(smsc.told(), (Lines{"deliver 7 hi", "deliver 8 ho"}));
  EXPECT_EQ(smsc.sent(), Octets{}) << "answered when it is durable";
  EXPECT_EQ(smsc.session.stats().malformed, 0u);
}

TEST(Session, SubmitsByDataSm) {
  Conversation smsc;
  smsc.bind();
  const Octets text = octets_of("hi");

  const auto sequence_number = smsc.session.submit_data({.short_message = text}, 7, kStart);
  ASSERT_TRUE(sequence_number.has_value() && sequence_number->has_value());
  EXPECT_EQ(smsc.sent()[6], 0x01);
  smsc.hear(submit_resp(**sequence_number, "no"), kStart);  // the wrong response
  EXPECT_EQ(smsc.session.in_flight(), 1u);
  smsc.hear(pdu(0x80000103, 0, **sequence_number, hex("346600")), kStart);

  EXPECT_EQ(smsc.told(), Lines{"resp 7 0 4f"});
  EXPECT_EQ(smsc.session.stats().unexpected_responses, 1u);
}

TEST(Session, AsksAndCancels) {
  Conversation smsc({.limits = {.window = 2}});
  smsc.bind();

  const auto query =
      smsc.session.query({.message_id = "4f", .source = {{5, 0}, "SHOP"}}, 1, kStart);
  const auto cancel = smsc.session.cancel({.message_id = "4f"}, 2, kStart);
  ASSERT_TRUE(query.has_value() && query->has_value());
  ASSERT_TRUE(cancel.has_value() && cancel->has_value());
  EXPECT_EQ(smsc.session.window_free(), 0u);
  EXPECT_EQ(smsc.session.in_flight(), 0u);
  smsc.hear(pdu(0x80000003, 0, **query, hex("346600 00 02 00")) + pdu(0x80000008, 0x11, **cancel),
            kStart);

  EXPECT_EQ(smsc.told(), (Lines{"query 1 0 4f 2", "cancel 2 17"}));
  EXPECT_EQ(smsc.session.window_free(), 2u);
}

TEST(Session, AnswersEnquireLinkAtAnyTime) {
  Conversation smsc;
  smsc.session.on_connected(kStart);
  (void)smsc.sent();

  smsc.hear(pdu(0x15, 0, 9), kStart);
  EXPECT_EQ(smsc.sent(), pdu(0x80000015, 0, 9)) << "before the bind is answered";
  smsc.hear(pdu(0x80000009, 0, 1), kStart);
  smsc.hear(pdu(0x15, 0, 10), kStart);

  EXPECT_EQ(smsc.sent(), pdu(0x80000015, 0, 10));
}

TEST(Session, TellsThatAHandsetCanBeReachedAgain) {
  Conversation smsc;
  smsc.bind();

  smsc.hear(pdu(0x102, 0, 2, hex("0101 373900 0500 53484f5000 0422 0001 00")), kStart);

  EXPECT_EQ(smsc.told(), (Lines{"alert 79 SHOP 0"}));
  EXPECT_FALSE(smsc.session.has_outgoing()) << "it has no response";
  EXPECT_EQ(smsc.session.stats().alerts, 1u);

  smsc.hear(pdu(0x102, 0, 3, hex("0101 3739")), kStart);
  EXPECT_TRUE(smsc.told().empty());
  EXPECT_FALSE(smsc.session.has_outgoing()) << "not even when it cannot be read";
  EXPECT_EQ(smsc.session.stats().malformed, 1u);
}

TEST(Session, PassesOverOutbindAndAlertNotification) {
  Conversation smsc;
  smsc.bind();

  smsc.hear(pdu(0x0b, 0, 1, hex("6100 6200")) + pdu(0x102, 0, 2, hex("0101373900 0101373900")),
            kStart);

  EXPECT_FALSE(smsc.session.has_outgoing());
  EXPECT_FALSE(smsc.session.ended());
  EXPECT_EQ(smsc.session.stats().unknown_commands, 0u);
}

TEST(Session, DrainsItsWindowBeforeItUnbinds) {
  Conversation smsc;
  smsc.bind();
  (void)smsc.submit(1, kStart);
  (void)smsc.sent();

  smsc.session.unbind(kStart);
  EXPECT_FALSE(smsc.session.has_outgoing());
  EXPECT_EQ(smsc.session.window_free(), 0u);
  EXPECT_EQ(smsc.submit(2, kStart), 0u);
  smsc.hear(submit_resp(2, "a"), kStart);
  EXPECT_EQ(smsc.sent(), pdu(0x06, 0, 3));
  EXPECT_FALSE(smsc.session.ended());
  smsc.hear(pdu(0x80000006, 0, 3), kStart);

  EXPECT_EQ(smsc.session.ended(), Ending::unbound);
  EXPECT_TRUE(smsc.session.take_unanswered().empty());
}

TEST(Session, StillTakesDeliveriesWhileItLeaves) {
  Conversation smsc;
  smsc.bind();
  smsc.session.unbind(kStart);
  EXPECT_EQ(smsc.sent(), pdu(0x06, 0, 2));

  smsc.hear(deliver_sm(5, "id:1", 4), kStart);
  smsc.session.answer(5, CommandStatus::ok);

  EXPECT_EQ(smsc.told(), Lines{"deliver 5 id:1"});
  EXPECT_EQ(smsc.sent(), pdu(0x80000005, 0, 5, {0}));
}

TEST(Session, HonoursAnUnbindFromThePeer) {
  Conversation smsc;
  smsc.bind();

  smsc.hear(pdu(0x06, 0, 44), kStart);

  EXPECT_EQ(smsc.sent(), pdu(0x80000006, 0, 44));
  EXPECT_EQ(smsc.session.ended(), Ending::peer_unbound);
}

TEST(Session, AwaitsItsResponsesAfterAnUnbindFromThePeer) {
  Conversation smsc;
  smsc.bind();
  (void)smsc.submit(1, kStart);
  (void)smsc.sent();

  smsc.hear(pdu(0x06, 0, 44), kStart);
  EXPECT_EQ(smsc.sent(), pdu(0x80000006, 0, 44)) << "answered at once";
  EXPECT_FALSE(smsc.session.ended());
  EXPECT_EQ(smsc.submit(2, kStart), 0u) << "nothing new";
  smsc.hear(submit_resp(2, "a"), kStart);

  EXPECT_EQ(smsc.told(), Lines{"resp 1 0 a"});
  EXPECT_EQ(smsc.session.ended(), Ending::peer_unbound);
}

TEST(Session, AnswersWhatWasDeliveredBeforeItAnswersAnUnbind) {
  Conversation smsc;
  smsc.bind();
  smsc.hear(deliver_sm(5, "id:1", 4), kStart);
  smsc.hear(deliver_sm(6, "id:2", 4), kStart);
  smsc.hear(pdu(0x06, 0, 44), kStart);
  EXPECT_FALSE(smsc.session.has_outgoing());
  EXPECT_FALSE(smsc.session.ended());

  smsc.session.answer(5, CommandStatus::ok);
  EXPECT_GT(smsc.session.deadline(), kStart);
  smsc.session.answer(6, CommandStatus::ok);
  EXPECT_LE(smsc.session.deadline(), kStart) << "now it may go on";
  (void)smsc.sent();
  smsc.session.on_time(kStart);

  EXPECT_EQ(smsc.sent(), pdu(0x80000006, 0, 44));
  EXPECT_EQ(smsc.session.ended(), Ending::peer_unbound);
}

TEST(Session, AnswersWhatWasDeliveredBeforeItUnbinds) {
  Conversation smsc;
  smsc.bind();
  smsc.hear(deliver_sm(5, "id:1", 4), kStart);
  smsc.session.unbind(kStart);
  EXPECT_FALSE(smsc.session.has_outgoing());
  smsc.hear(deliver_sm(6, "id:2", 4), kStart);

  smsc.session.answer(5, CommandStatus::ok);
  EXPECT_LE(smsc.session.deadline(), kStart) << "what came since is not waited for";
  (void)smsc.sent();
  smsc.session.on_time(kStart);

  EXPECT_EQ(smsc.sent(), pdu(0x06, 0, 2));
}

TEST(Session, NamesAGoodbyeThatTheConnectionDidNotOutlive) {
  Conversation ours, theirs, nobodys;
  for (Conversation* smsc : {&ours, &theirs, &nobodys}) {
    smsc->bind();
    (void)smsc->submit(1, kStart);
  }
  ours.hear(submit_resp(2, "a"), kStart);
  ours.session.unbind(kStart);
  theirs.hear(pdu(0x06, 0, 44), kStart);

  for (Conversation* smsc : {&ours, &theirs, &nobodys}) smsc->session.on_disconnected();

  EXPECT_EQ(ours.session.ended(), Ending::unbound);
  EXPECT_EQ(theirs.session.ended(), Ending::peer_unbound);
  EXPECT_FALSE(nobodys.session.ended());
}

TEST(Session, UnbindsCrosswise) {
  Conversation smsc;
  smsc.bind();
  smsc.session.unbind(kStart);
  (void)smsc.sent();

  smsc.hear(pdu(0x06, 0, 44), kStart);

  EXPECT_EQ(smsc.sent(), pdu(0x80000006, 0, 44));
  EXPECT_EQ(smsc.session.ended(), Ending::unbound);
}

// Certainty: what the kernel did not get whole cannot have been accepted.
TEST(Session, KnowsWhatIsCertainlyUnsent) {
  Conversation smsc;
  smsc.bind();
  const std::uint64_t before = 16 + 7;  // the bind request, all its texts empty
  (void)smsc.submit(1, kStart);
  (void)smsc.submit(2, kStart);
  Octets octets;
  smsc.session.swap_outgoing(octets);
  const std::uint64_t one = octets.size() / 2;
  (void)smsc.submit(3, kStart);

  smsc.session.on_written(before + one + one - 1);
  const auto unanswered = smsc.session.take_unanswered();

  ASSERT_EQ(unanswered.size(), 3u);
  EXPECT_EQ(unanswered[0].cookie, 1u);
  EXPECT_EQ(unanswered[0].sequence_number, 2u);
  EXPECT_EQ(unanswered[0].certainty, Certainty::in_doubt);
  EXPECT_EQ(unanswered[1].cookie, 2u);
  EXPECT_EQ(unanswered[1].certainty, Certainty::unsent) << "one octet short";
  EXPECT_EQ(unanswered[2].certainty, Certainty::unsent) << "never taken";
  EXPECT_TRUE(smsc.session.take_unanswered().empty());
  EXPECT_EQ(smsc.session.in_flight(), 0u);
}

TEST(Session, BelievesThatATailWasNeverTransmitted) {
  Conversation smsc;
  smsc.bind();
  const std::uint64_t before = 16 + 7;  // the bind request, all its texts empty
  (void)smsc.submit(1, kStart);
  (void)smsc.submit(2, kStart);
  (void)smsc.submit(3, kStart);
  Octets octets;
  smsc.session.swap_outgoing(octets);
  smsc.session.on_written(before + octets.size());
  smsc.session.on_never_transmitted(octets.size() / 3 + 1);  // an octet of the second is out

  const auto unanswered = smsc.session.take_unanswered();

  ASSERT_EQ(unanswered.size(), 3u);
  EXPECT_EQ(unanswered[0].certainty, Certainty::in_doubt);
  EXPECT_EQ(unanswered[1].certainty, Certainty::unsent) << "not all of it went out";
  EXPECT_EQ(unanswered[2].certainty, Certainty::unsent);
}

TEST(Session, ListsWhatIsUnansweredInSendingOrderAcrossTheWrap) {
  Conversation smsc({.first_sequence_number = 0x7ffffffd});
  smsc.session.on_connected(kStart);
  smsc.hear(pdu(0x80000009, 0, 0x7ffffffd), kStart);
  for (std::uint64_t cookie = 1; cookie <= 4; ++cookie) (void)smsc.submit(cookie, kStart);

  const auto unanswered = smsc.session.take_unanswered();

  ASSERT_EQ(unanswered.size(), 4u);
  for (std::size_t at = 0; at < 4; ++at) EXPECT_EQ(unanswered[at].cookie, at + 1);
}

TEST(Session, HandsTheSpentBufferBackForReuse) {
  Conversation smsc;
  smsc.bind();
  (void)smsc.submit(1, kStart);
  Octets spent;
  spent.reserve(4096);
  spent.assign(10, 0xff);

  smsc.session.swap_outgoing(spent);
  EXPECT_EQ(spent[7], 0x04);
  (void)smsc.submit(2, kStart);
  smsc.session.swap_outgoing(spent);

  EXPECT_GE(spent.capacity(), 4096u);
  EXPECT_EQ(spent[15], 3);
}

// Every split of a stream says the same.
TEST(Session, UnderstandsAStreamHoweverItIsSplit) {
  constexpr std::uint64_t kSeed = 20240607;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  const Octets stream = deliver_sm(1, std::string(200, 'a')) + submit_resp(2, "one") +
                        pdu(0x15, 0, 3) + submit_resp(3, "two") + deliver_sm(4, "") +
                        pdu(0x0777, 0, 5) + submit_resp(4, "three");
  const auto listen = [&](auto next_size) {
    Conversation smsc;
    smsc.bind();
    for (std::uint64_t cookie = 2; cookie <= 4; ++cookie) (void)smsc.submit(cookie, kStart);
    (void)smsc.sent();
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(next_size(), stream.size() - at);
      smsc.hear({stream.begin() + static_cast<std::ptrdiff_t>(at),
                 stream.begin() + static_cast<std::ptrdiff_t>(at + size)},
                kStart);
      at += size;
    }
    return std::pair(smsc.told(), smsc.sent());
  };

  const auto whole = listen([&] { return stream.size(); });
  EXPECT_EQ(whole.first.size(), 5u);
  EXPECT_EQ(listen([] { return std::size_t{1}; }), whole) << "one octet a second";
  for (int round = 0; round < 2000; ++round) {
    ASSERT_EQ(listen([&] { return 1 + static_cast<std::size_t>(random() % 60); }), whole);
  }
}

}  // namespace
}  // namespace stentor::protocol::test
