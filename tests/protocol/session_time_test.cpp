// A session and the clock: bind timeout, enquire_link, silence, and what is not silence.
#include <gtest/gtest.h>

#include "protocol/session.h"
#include "tests/protocol/conversation.h"

namespace stentor::protocol::test {
namespace {

constexpr TimePoint kStart = Conversation::kStart;
constexpr auto kGrace = 100ms;  // peer_watch.h: one more look at the socket before giving up

SessionConfig quick(std::size_t window = 10) {
  return {.limits = {.window = window,
                     .bind_within = 5s,
                     .enquire_after = 30s,
                     .response_within = 10s,
                     .unbind_within = 3s}};
}

// Calls on_time at each deadline up to `until`, as an event loop would, and returns the last.
TimePoint run_until(Session& session, TimePoint until) {
  TimePoint now{};
  while (!session.ended() && session.deadline() <= until) {
    now = session.deadline();
    session.on_time(now);
  }
  return now;
}

TEST(SessionTime, WaitsForNothingBeforeItIsConnectedOrAfterItEnded) {
  Conversation smsc(quick());
  EXPECT_EQ(smsc.session.deadline(), TimePoint::max());
  smsc.session.on_connected(kStart);
  smsc.hear(pdu(0x80000009, 0x0d, 1), kStart);

  EXPECT_EQ(smsc.session.deadline(), TimePoint::max());
}

TEST(SessionTime, EndsWhenTheBindIsNotAnsweredInTime) {
  Conversation smsc(quick());
  smsc.session.on_connected(kStart);

  EXPECT_EQ(smsc.session.deadline(), kStart + 5s);
  smsc.session.on_time(kStart + 4999ms);
  EXPECT_FALSE(smsc.session.ended());
  smsc.hear(pdu(0x15, 0, 9), kStart + 4999ms);  // talking is not answering
  smsc.session.on_time(kStart + 5s);

  EXPECT_EQ(smsc.session.ended(), Ending::bind_timeout);
}

TEST(SessionTime, DoesNotAskBeforeItIsBound) {
  SessionConfig config = quick();
  config.limits.bind_within = 300s;
  Conversation smsc(config);
  smsc.session.on_connected(kStart);
  (void)smsc.sent();

  smsc.session.on_time(kStart + 200s);

  EXPECT_FALSE(smsc.session.has_outgoing());
}

TEST(SessionTime, AsksOnlyAfterSilence) {
  Conversation smsc(quick());
  smsc.bind();

  smsc.session.on_time(kStart + 29s);
  EXPECT_FALSE(smsc.session.has_outgoing());
  smsc.hear(deliver_sm(5, "x"), kStart + 29s);
  smsc.session.on_time(kStart + 58s);
  EXPECT_FALSE(smsc.session.has_outgoing()) << "it was heard from in between";
  EXPECT_EQ(smsc.session.deadline(), kStart + 59s);
  smsc.session.on_time(kStart + 59s);
  EXPECT_EQ(smsc.sent(), pdu(0x15, 0, 2));
  smsc.hear(pdu(0x80000015, 0, 2), kStart + 60s);

  EXPECT_FALSE(smsc.session.ended());
  EXPECT_EQ(smsc.session.deadline(), kStart + 90s);
}

// A vendor whose window counts every request refuses what is over it, an enquire_link too: who
// refuses is alive, and no submit_sm has been answered by it.
TEST(SessionTime, TakesARefusedQuestionForASignOfLife) {
  const Octets refusals[] = {pdu(0x80000000, 0x58, 3), pdu(0x80000015, 0x58, 3),
                             pdu(0x80000015, 0x14, 3), pdu(0x80000000, 0x03, 3)};
  for (const Octets& refusal : refusals) {
    Conversation smsc(quick());
    smsc.bind();
    (void)smsc.submit(1, kStart);
    smsc.hear(submit_resp(2, "a"), kStart + 1s);
    (void)smsc.told();
    (void)smsc.sent();
    smsc.session.on_time(kStart + 31s);
    ASSERT_EQ(smsc.sent(), pdu(0x15, 0, 3));

    smsc.hear(refusal, kStart + 32s);

    EXPECT_EQ(smsc.told(), Lines{});
    EXPECT_EQ(smsc.session.stats().unexpected_responses, 0u);
    run_until(smsc.session, kStart + 61s);
    EXPECT_FALSE(smsc.session.ended());
    EXPECT_EQ(smsc.session.deadline(), kStart + 62s) << "asked again only after silence";
  }
}

// Idle and half-open: found out within enquire_after + response_within.
TEST(SessionTime, EndsWhenEnquireLinkIsNotAnswered) {
  Conversation smsc(quick());
  smsc.bind();

  const TimePoint last = run_until(smsc.session, kStart + 1h);

  EXPECT_EQ(smsc.session.ended(), Ending::silent);
  EXPECT_EQ(last, kStart + 40s + kGrace);
}

TEST(SessionTime, EndsWhenASubmitIsNotAnsweredAndNothingComes) {
  Conversation smsc(quick());
  smsc.bind();
  (void)smsc.submit(1, kStart + 1s);

  const TimePoint last = run_until(smsc.session, kStart + 1h);

  EXPECT_EQ(smsc.session.ended(), Ending::silent);
  EXPECT_EQ(last, kStart + 11s + kGrace);
  EXPECT_EQ(smsc.session.take_unanswered().size(), 1u);
}

// A thread that was blocked finds its timer due and its socket full. The timer may be looked at
// first; then the socket must still count.
TEST(SessionTime, ReadsOnceMoreBeforeItGivesUp) {
  Conversation smsc(quick());
  smsc.bind();
  (void)smsc.submit(1, kStart);

  smsc.session.on_time(kStart + 60s);
  EXPECT_FALSE(smsc.session.ended());
  smsc.hear(submit_resp(2, "a"), kStart + 60s + 1ms);
  smsc.session.on_time(kStart + 60s + kGrace);

  EXPECT_FALSE(smsc.session.ended());
  EXPECT_EQ(smsc.told(), Lines{"resp 1 0 a"});
}

// The response lies behind 10,000 deliver_sm in our own receive buffer, and our thread is slow:
// the peer did nothing wrong.
TEST(SessionTime, DoesNotBlameThePeerForABacklogOfOurs) {
  Conversation smsc(quick());
  smsc.bind();
  (void)smsc.submit(1, kStart);
  Octets backlog;
  for (std::uint32_t number = 1; number <= 10000; ++number) {
    backlog = std::move(backlog) + deliver_sm(number, "id:1 stat:DELIVRD", 4);
  }
  backlog = std::move(backlog) + submit_resp(2, "a");
  constexpr std::ptrdiff_t kAtOnce = 4096;

  TimePoint now = kStart + 60s;  // blocked for a minute, six times response_within
  for (auto at = backlog.begin(); at != backlog.end(); now += 100ms) {
    smsc.session.on_time(now);
    ASSERT_FALSE(smsc.session.ended()) << "after " << (now - kStart) / 1ms << " ms";
    const auto end = backlog.end() - at > kAtOnce ? at + kAtOnce : backlog.end();
    smsc.hear({at, end}, now);
    at = end;
  }

  const Lines told = smsc.told();
  EXPECT_EQ(told.back(), "resp 1 0 a");
  EXPECT_EQ(told.size(), 10001u);
}

// Others are answered, one is not. Asking proves that its response is not merely on its way: the
// stream keeps its order, so what was answered before the question lies before its answer.
TEST(SessionTime, EndsWhenOneSubmitIsPassedOver) {
  Conversation smsc(quick());
  smsc.bind();
  (void)smsc.submit(1, kStart);
  for (int second = 1; second <= 9; ++second) {
    smsc.hear(deliver_sm(5, "x"), kStart + std::chrono::seconds(second));
  }
  (void)smsc.sent();

  smsc.session.on_time(kStart + 10s);
  EXPECT_EQ(smsc.sent(), pdu(0x15, 0, 3)) << "asked, not ended";
  EXPECT_FALSE(smsc.session.ended());
  smsc.hear(pdu(0x80000015, 0, 3), kStart + 11s);

  EXPECT_EQ(smsc.session.ended(), Ending::unanswered);
}

TEST(SessionTime, GoesOnWhenTheResponseComesBeforeTheAnswerToItsQuestion) {
  Conversation smsc(quick());
  smsc.bind();
  (void)smsc.submit(1, kStart);
  smsc.hear(deliver_sm(5, "x"), kStart + 9s);
  smsc.session.on_time(kStart + 10s);

  smsc.hear(submit_resp(2, "late") + pdu(0x80000015, 0, 3), kStart + 11s);

  EXPECT_FALSE(smsc.session.ended());
  EXPECT_EQ(smsc.told().back(), "resp 1 0 late");
}

TEST(SessionTime, EndsWhenAPeerTalksButAnswersNothing) {
  Conversation smsc(quick());
  smsc.bind();
  (void)smsc.submit(1, kStart);
  TimePoint now = kStart;

  while (!smsc.session.ended() && now < kStart + 1h) {
    now += 1s;
    smsc.hear(deliver_sm(5, "x"), now);
    smsc.session.on_time(now);
  }

  EXPECT_EQ(smsc.session.ended(), Ending::silent);
  EXPECT_EQ(now, kStart + 30s) << "overdue, asked, asked again";
}

TEST(SessionTime, DoesNotCountTheTimeInWhichWeDidNotRead) {
  Conversation smsc(quick());
  smsc.bind();
  (void)smsc.submit(1, kStart);

  smsc.session.on_reading(false, kStart + 1s);
  EXPECT_EQ(smsc.session.deadline(), TimePoint::max());
  smsc.session.on_time(kStart + 500s);
  EXPECT_FALSE(smsc.session.ended());
  smsc.session.on_reading(true, kStart + 500s);
  smsc.session.on_time(kStart + 509s);
  EXPECT_FALSE(smsc.session.ended());
  smsc.hear(submit_resp(2, "a"), kStart + 509s);

  EXPECT_EQ(smsc.told(), Lines{"resp 1 0 a"});
}

TEST(SessionTime, LetsAnUnansweredQueryFailByItself) {
  Conversation smsc(quick());
  smsc.bind();
  ASSERT_TRUE(smsc.session.query({.message_id = "4f"}, 1, kStart));
  ASSERT_TRUE(smsc.session.cancel({.message_id = "4f"}, 2, kStart + 1s));
  smsc.hear(deliver_sm(5, "x"), kStart + 9s);

  run_until(smsc.session, kStart + 12s);

  EXPECT_FALSE(smsc.session.ended());
  EXPECT_EQ(smsc.told(), (Lines{"deliver 5 x", "query 1 255  0", "cancel 2 255"}));
  EXPECT_EQ(smsc.session.window_free(), 10u);
}

TEST(SessionTime, LeavesWithAPeerWhoseDeliveriesAreNotAnsweredInTime) {
  Conversation smsc(quick());
  smsc.bind();
  smsc.hear(deliver_sm(5, "x"), kStart);
  smsc.hear(pdu(0x06, 0, 44), kStart);
  EXPECT_FALSE(smsc.session.has_outgoing());

  EXPECT_EQ(run_until(smsc.session, kStart + 60s), kStart + 3s);

  EXPECT_EQ(smsc.sent(), pdu(0x80000006, 0, 44));
  EXPECT_EQ(smsc.session.ended(), Ending::peer_unbound);
}

TEST(SessionTime, UnbindsWithAnOpenWindowWhenDrainingTakesTooLong) {
  Conversation smsc(quick());
  smsc.bind();
  (void)smsc.submit(1, kStart);
  (void)smsc.sent();
  smsc.session.unbind(kStart + 5s);
  smsc.hear(deliver_sm(5, "x"), kStart + 9s);
  smsc.hear(deliver_sm(6, "x"), kStart + 14s);

  run_until(smsc.session, kStart + 15s);
  const Octets said = smsc.sent();
  EXPECT_EQ(Octets(said.end() - 16, said.end()), pdu(0x06, 0, said.back()));
  run_until(smsc.session, kStart + 18s);

  EXPECT_EQ(smsc.session.ended(), Ending::unbound) << "no unbind_resp: we close anyway";
  EXPECT_EQ(smsc.session.take_unanswered().size(), 1u);
}

TEST(SessionTime, LeavesWhenThePeerUnboundAndDoesNotFinish) {
  Conversation smsc(quick());
  smsc.bind();
  (void)smsc.submit(1, kStart);
  smsc.hear(pdu(0x06, 0, 44), kStart + 1s);

  EXPECT_EQ(smsc.session.deadline(), kStart + 4s);
  smsc.session.on_time(kStart + 4s);

  EXPECT_EQ(smsc.session.ended(), Ending::peer_unbound);
  EXPECT_EQ(smsc.session.take_unanswered().size(), 1u);
}

// However late or often on_time comes, its deadline lies ahead of it afterwards: no busy loop.
TEST(SessionTime, NeverAsksToBeCalledAgainAtOnce) {
  Conversation smsc(quick());
  smsc.bind();
  for (int step = 0; step < 2000 && !smsc.session.ended(); ++step) {
    const TimePoint now = kStart + step * 137ms;
    if (step % 50 == 0) (void)smsc.submit(1, now);
    if (step % 40 == 0) smsc.hear(deliver_sm(5, "x"), now);
    if (smsc.session.deadline() > now) continue;
    smsc.session.on_time(now);
    ASSERT_GT(smsc.session.deadline(), now) << "step " << step;
  }
}

// Says `octets` one a second from `from` on, and lets the session's time pass in between.
TimePoint trickle(Conversation& smsc, const Octets& octets, TimePoint from) {
  for (const std::uint8_t octet : octets) {
    from += 1s;
    (void)run_until(smsc.session, from);
    if (smsc.session.ended()) break;
    smsc.hear({octet}, from);
  }
  return from;
}

TEST(SessionTime, HearsAPeerThatSaysAnOctetASecond) {
  SessionConfig config = quick();
  config.limits.response_within = 60s;
  Conversation smsc(config);
  smsc.bind();
  const std::uint32_t number = smsc.submit(7, kStart);

  // Each PDU has its own time: together they take longer.
  TimePoint at = trickle(smsc, submit_resp(number, "4f"), kStart);
  at = trickle(smsc, deliver_sm(1, "hi"), at);
  at = trickle(smsc, deliver_sm(2, "ho"), at);

  EXPECT_FALSE(smsc.session.ended());
  EXPECT_GT(at, kStart + 60s);
  EXPECT_EQ(smsc.told(), (Lines{"resp 7 0 4f", "deliver 1 hi", "deliver 2 ho"}));
}

// Idle, it would hold a bind for ever: nothing waits, and it is never silent.
TEST(SessionTime, EndsWhenAPduThatBeganTakesTooLong) {
  Conversation smsc(quick());
  smsc.bind();

  const TimePoint last = trickle(smsc, deliver_sm(1, "an octet a second"), kStart);

  EXPECT_EQ(smsc.session.ended(), Ending::silent);
  EXPECT_EQ(smsc.told(), Lines{});
  EXPECT_EQ(last, kStart + 12s) << "the first octet came after a second, and ten were allowed";
}

TEST(SessionTime, DoesNotBlameThePeerForAPduThatWeDoNotRead) {
  Conversation smsc(quick());
  smsc.bind();
  const Octets deliver = deliver_sm(1, "hi");
  smsc.hear({deliver.begin(), deliver.begin() + 20}, kStart);
  smsc.session.on_reading(false, kStart + 1s);
  smsc.session.on_time(kStart + 300s);
  smsc.session.on_reading(true, kStart + 300s);

  // The thread was blocked: the timer is looked at before the socket.
  smsc.session.on_time(kStart + 310s);
  EXPECT_FALSE(smsc.session.ended());
  smsc.hear({deliver.begin() + 20, deliver.end()}, kStart + 310s);
  smsc.session.on_time(kStart + 311s);

  EXPECT_FALSE(smsc.session.ended());
  EXPECT_EQ(smsc.told(), Lines{"deliver 1 hi"});
}

SessionConfig leaving_when_inactive() {
  SessionConfig config = quick();
  config.limits.inactive_for = 100s;
  return config;
}

// Answers what is asked, as a front does that has forgotten the session behind it.
void answer_enquiries_until(Conversation& smsc, TimePoint until) {
  while (smsc.session.deadline() < until) {
    const TimePoint now = smsc.session.deadline();
    smsc.session.on_time(now);
    const Octets asked = smsc.sent();
    ASSERT_EQ(asked.size(), 16u);
    const auto sequence_number =
        static_cast<std::uint32_t>(asked[13] << 16 | asked[14] << 8 | asked[15]);
    smsc.hear(pdu(0x80000015, 0, sequence_number), now);
  }
}

TEST(SessionTime, UnbindsWhenNothingButEnquireLinkPassedForSoLong) {
  Conversation smsc(leaving_when_inactive());
  smsc.bind();
  answer_enquiries_until(smsc, kStart + 100s);
  EXPECT_TRUE(smsc.session.is_bound());

  EXPECT_EQ(smsc.session.deadline(), kStart + 100s);
  smsc.session.on_time(kStart + 100s);
  EXPECT_FALSE(smsc.session.is_bound());
  EXPECT_FALSE(smsc.session.ended()) << "it says goodbye first";
  const Octets said = smsc.sent();
  EXPECT_EQ(said, pdu(0x06, 0, said[15]));
  smsc.hear(pdu(0x80000006, 0, said[15]), kStart + 101s);

  EXPECT_EQ(smsc.session.ended(), Ending::inactive);
}

TEST(SessionTime, IsActiveWhileMessagesPassEitherWay) {
  Conversation smsc(leaving_when_inactive());
  smsc.bind();
  answer_enquiries_until(smsc, kStart + 90s);
  smsc.hear(deliver_sm(5, "x"), kStart + 90s);
  smsc.session.answer(5, CommandStatus::ok);
  (void)smsc.sent();
  answer_enquiries_until(smsc, kStart + 180s);
  const std::uint32_t sequence_number = smsc.submit(1, kStart + 180s);
  (void)smsc.sent();
  smsc.hear(submit_resp(sequence_number, "a"), kStart + 185s);
  answer_enquiries_until(smsc, kStart + 285s);
  EXPECT_TRUE(smsc.session.is_bound());

  EXPECT_EQ(smsc.session.deadline(), kStart + 285s);
}

TEST(SessionTime, IsNotInactiveWhileAnAnswerIsDue) {
  SessionConfig config = leaving_when_inactive();
  config.limits.inactive_for = 4s;  // less than response_within
  Conversation smsc(config);
  smsc.bind();
  const std::uint32_t sequence_number = smsc.submit(1, kStart);
  (void)smsc.sent();
  smsc.session.on_time(kStart + 5s);
  EXPECT_TRUE(smsc.session.is_bound());
  smsc.hear(submit_resp(sequence_number, "a"), kStart + 9s);
  smsc.session.on_time(kStart + 12s);
  EXPECT_TRUE(smsc.session.is_bound());

  smsc.session.on_time(kStart + 13s);
  EXPECT_FALSE(smsc.session.is_bound());
}

TEST(SessionTime, IsNotInactiveWhileWeOweAnAnswer) {
  Conversation smsc(leaving_when_inactive());
  smsc.bind();
  smsc.hear(deliver_sm(5, "x"), kStart);
  answer_enquiries_until(smsc, kStart + 200s);
  EXPECT_TRUE(smsc.session.is_bound()) << "it would come again, and be told twice";
  smsc.session.answer(5, CommandStatus::ok);

  EXPECT_LE(smsc.session.deadline(), kStart + 200s);
}

TEST(SessionTime, IsNotInactiveWhileNobodyReads) {
  Conversation smsc(leaving_when_inactive());
  smsc.bind();
  smsc.session.on_reading(false, kStart + 1s);
  EXPECT_EQ(smsc.session.deadline(), TimePoint::max());
  smsc.session.on_reading(true, kStart + 300s);
  answer_enquiries_until(smsc, kStart + 400s);
  EXPECT_TRUE(smsc.session.is_bound());

  EXPECT_EQ(smsc.session.deadline(), kStart + 400s);
}

TEST(SessionTime, StaysBoundForEverUnlessItIsToldHowLong) {
  Conversation smsc(quick());
  smsc.bind();
  answer_enquiries_until(smsc, kStart + 1000h);

  EXPECT_TRUE(smsc.session.is_bound());
}

}  // namespace
}  // namespace stentor::protocol::test
