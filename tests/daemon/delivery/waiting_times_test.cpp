// Wherever a message waits, its time is kept: to the millisecond here, where the test owns the
// clock and calls the carrier when it asked to be called.
#include <gtest/gtest.h>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using test::kLateMaxMs;
using test::LoopbackSmsc;
using test::OwnedTime;

class WaitingTimes : public OwnedTime {
 protected:
  using OwnedTime::OwnedTime;
  static constexpr std::uint32_t kExpires = kSecond + 10;
  static constexpr std::uint32_t kMuchLater = kSecond + 36'000;

  void expect_expires_in_time(queue::Locator at) {
    const std::uint64_t ends = kExpires * 1000ull - early_ms_;
    run_until(ends - 1);
    EXPECT_FALSE(end_of(at)) << "it still had time";
    run_until(ends + kLateMaxMs);
    const auto ended = end_of(at);
    if (!ended) FAIL() << "it waits for ever";
    EXPECT_EQ(ended->state, State::expired);
    EXPECT_GE(ended->time_ms, ends);
    EXPECT_LT(ended->time_ms, ends + kLateMaxMs);
  }
};

// At a whole second, and at moments of one that are and are none of a ticket's steps.
class WhereverItWaits : public WaitingTimes, public testing::WithParamInterface<std::uint16_t> {
 protected:
  using WaitingTimes::WaitingTimes;
  WhereverItWaits() { early_ms_ = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(MillisecondsBefore, WhereverItWaits, testing::Values(0, 1, 450, 623, 999));

TEST_P(WhereverItWaits, ExpiresInALaneWhoseCarrierIsDown) {
  expect_expires_in_time(take(kExpires));
}

TEST_P(WhereverItWaits, ExpiresInALaneOfASuspendedCarrier) {
  const queue::Locator at = take(kExpires);
  carrier().suspend(true, "ops", [] {});
  expect_expires_in_time(at);
}

TEST_P(WhereverItWaits, ExpiresInAPausedCampaign) {
  const queue::Locator at = take(kExpires);
  FlowOrder pause;
  pause.flow = kFlow;
  pause.is_paused = true;
  (void)carrier().obey(pause);
  expect_expires_in_time(at);
}

TEST_P(WhereverItWaits, ExpiresBeforeItMayGo) {
  expect_expires_in_time(take(kExpires, kMuchLater * 1000ull));
}

TEST_P(WhereverItWaits, ExpiresBetweenTwoAttempts) {
  const queue::Locator at = accept(1, kExpires).front();
  Retry retry;
  retry.attempts = 1;
  carrier().restore_retry(at, retry);
  carrier().restore_waiting(pick(at, kExpires), kMuchLater * 1000ull);
  expect_expires_in_time(at);
}

TEST_P(WhereverItWaits, ExpiresInDoubt) {
  expect_expires_in_time(hold(kExpires, 0, UncertainPolicy::hold));
}

TEST_P(WhereverItWaits, ExpiresAsTheJournalSaysAfterARestart) {
  const queue::Locator at = accept(1, kExpires).front();
  Replay replay = known_.replay(clock_.wall_ms());
  read_journal([&](const queue::Record& record) { replay.visit(record); });
  replay.finish(1);
  EXPECT_EQ(carrier().waiting(), 1u);
  expect_expires_in_time(at);
}

TEST_P(WhereverItWaits, ExpiresWhereAPausedMessageStands) {
  const queue::Locator at = accept(1, kExpires).front();
  carrier().restore_paused(at);
  LoopbackSmsc smsc(known_.context);
  ASSERT_TRUE(bind(smsc));
  hand_over(at, kExpires);
  settle();
  expect_expires_in_time(at);
  EXPECT_TRUE(smsc.submitted().empty());
}

TEST_P(WhereverItWaits, ExpiresReservedBehindAFullWindow) {
  LoopbackSmsc smsc(known_.context);
  ASSERT_TRUE(bind(smsc));
  std::vector<queue::Locator> taken;
  for (int i = 0; i < 15; ++i) taken.push_back(take(kExpires));
  ASSERT_TRUE(settle_until([&] { return smsc.submitted().size() == 10; }));
  expect_expires_in_time(taken.back());
  EXPECT_EQ(smsc.submitted().size(), 10u) << "and is not sent after it";
}

TEST_P(WhereverItWaits, ExpiresWhileItsCarrierWantsItSlower) {
  LoopbackSmsc smsc(known_.context);
  ASSERT_TRUE(bind(smsc));
  const queue::Locator at = take(kExpires);
  ASSERT_TRUE(settle_until([&] { return smsc.submitted().size() == 1; }));
  const std::uint64_t ends = kExpires * 1000ull - early_ms_;
  clock_.set(ends - 1);
  smsc.answer(0, protocol::CommandStatus::throttled);
  ASSERT_TRUE(settle_until([&] { return carrier().snapshot().stats.throttled == 1; }));
  const std::size_t submitted = smsc.submitted().size();
  if (submitted == 2) smsc.answer(1, protocol::CommandStatus::throttled);
  run_until(ends + kLateMaxMs);
  const auto ended = end_of(at);
  ASSERT_TRUE(ended.has_value()) << "it waits for the carrier's leave";
  EXPECT_EQ(ended->state, State::expired);
  EXPECT_EQ(smsc.submitted().size(), submitted) << "and is not sent again";
}

// Its ticket has up to a step more than its record.
TEST_P(WhereverItWaits, IsNotSentAtItsTimeOrLater) {
  const queue::Locator at = take(kExpires);
  const std::uint64_t ends = kExpires * 1000ull - early_ms_;
  run_until(ends - 1);
  LoopbackSmsc smsc(known_.context);
  clock_.set(ends);
  ASSERT_TRUE(bind(smsc));
  carrier().pump();
  settle();
  EXPECT_TRUE(smsc.submitted().empty());
  run_until(ends + kLateMaxMs);
  const auto ended = end_of(at);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->state, State::expired);
}

TEST_P(WhereverItWaits, MayStillBeSentUntilThen) {
  (void)take(kExpires);
  run_until(kExpires * 1000ull - early_ms_ - 1);
  LoopbackSmsc smsc(known_.context);
  ASSERT_TRUE(bind(smsc));
  ASSERT_TRUE(settle_until([&] { return smsc.submitted().size() == 1; }));
}

TEST_F(WaitingTimes, ExpiresAtOnceWhenItsTimeEndedWhileTheDaemonWasDown) {
  const queue::Locator waiting = accept(1, kSecond - 5).front();
  carrier().restore_waiting(pick(waiting, kSecond - 5), 0);
  const queue::Locator scheduled = accept(1, kSecond - 5).front();
  carrier().restore_waiting(pick(scheduled, kSecond - 5), kMuchLater * 1000ull);
  run_until(kBegin + kLateMaxMs);
  for (const queue::Locator at : {waiting, scheduled}) {
    const auto ended = end_of(at);
    if (!ended) FAIL() << "it waits for ever";
    EXPECT_EQ(ended->state, State::expired);
    EXPECT_LT(ended->time_ms, kBegin + kLateMaxMs);
  }
}

TEST_F(WaitingTimes, ComesOffItsTimerWhenItMayGoAndNotBefore) {
  constexpr std::uint64_t kDue = kBegin + 12'345;
  (void)take(kMuchLater, kDue);
  run_until(kDue - 1);
  EXPECT_EQ(carrier().snapshot().waiting_timers, 1u);
  run_until(kDue + kLateMaxMs);
  EXPECT_EQ(carrier().snapshot().waiting_timers, 0u);
  EXPECT_EQ(carrier().snapshot().waiting_normal, 1u);
}

TEST_F(WaitingTimes, GoesAgainWhenItsRetryIsDueAfterARestart) {
  constexpr std::uint64_t kDue = kBegin + 7'001;
  const queue::Locator at = accept(1, kMuchLater).front();
  Retry retry;
  retry.attempts = 2;
  carrier().restore_retry(at, retry);
  carrier().restore_waiting(pick(at, kMuchLater), kDue);
  run_until(kDue - 1);
  EXPECT_EQ(carrier().snapshot().waiting_timers, 1u);
  run_until(kDue + kLateMaxMs);
  EXPECT_EQ(carrier().snapshot().waiting_timers, 0u);
}

// `wait-dlr` counts from the doubt, which comes at any moment of a second.
TEST_F(WaitingTimes, GoesOnWhenItsWaitForAReceiptIsOver) {
  constexpr std::uint64_t kUntil = kBegin + 5'111;
  const queue::Locator at = hold(kMuchLater, kUntil);
  run_until(kUntil - 1);
  EXPECT_FALSE(end_of(at));
  run_until(kUntil + kLateMaxMs);
  const auto ended = end_of(at);
  if (!ended) FAIL() << "it is held for ever";
  EXPECT_EQ(ended->state, State::unknown);
  EXPECT_GE(ended->time_ms, kUntil);
  EXPECT_LT(ended->time_ms, kUntil + kLateMaxMs);
}

// Its record's octets on disk are spoilt, and some day good again.
class UnreadableTimes : public WaitingTimes {
 protected:
  static constexpr std::uint64_t kPauseMs = 60'000;
  static constexpr std::uint64_t kSomeLooks = 3;  // what one pause may cost; not one for each turn

  void spoil(queue::Locator at) { disk_.spoil(at); }
  void mend(queue::Locator at) { spoil(at); }
  void cancel_campaign(queue::Locator before) {
    FlowOrder cancel;
    cancel.flow = kFlow;
    cancel.cancelled_before = before;
    (void)carrier().obey(cancel);
  }
  [[nodiscard]] std::uint64_t looks() { return carrier().snapshot().stats.records_unreadable; }
};

TEST_F(UnreadableTimes, CancellingACampaignDoesNotWaitForWhatCannotBeRead) {
  const queue::Locator waiting = take(kMuchLater);
  const queue::Locator scheduled = take(kMuchLater, (kSecond + 3000) * 1000ull);
  const queue::Locator after = accept(1, kMuchLater).front();
  spoil(waiting);
  spoil(scheduled);
  cancel_campaign(after);
  hand_over(after, kMuchLater);
  run_until(kBegin + kPauseMs - 1);
  EXPECT_FALSE(end_of(waiting));
  EXPECT_EQ(looks(), 2u) << "each once";
  EXPECT_EQ(carrier().waiting(), 3u) << "they are still there";
  EXPECT_EQ(carrier().look_at(kFlow).limit, FlowLimit::link_down) << "and keep no others";
  mend(waiting);
  run_until(kBegin + kPauseMs + kLateMaxMs);
  const auto ended = end_of(waiting);
  if (!ended) FAIL() << "it waits for ever";
  EXPECT_EQ(ended->state, State::cancelled);
  mend(scheduled);
  run_until(kBegin + 2 * kPauseMs + kLateMaxMs);
  EXPECT_TRUE(end_of(scheduled));
  EXPECT_FALSE(end_of(after));
}

TEST_F(UnreadableTimes, WhatHasExpiredIsLookedAtOnceAMinute) {
  const queue::Locator at = take(kExpires);
  spoil(at);
  run_until(kExpires * 1000ull + kPauseMs - 1);
  EXPECT_GE(looks(), 1u);
  EXPECT_LE(looks(), kSomeLooks);
  mend(at);
  run_until(kExpires * 1000ull + kPauseMs + kLateMaxMs);
  const auto ended = end_of(at);
  if (!ended) FAIL() << "it waits for ever";
  EXPECT_EQ(ended->state, State::expired);
}

TEST_F(UnreadableTimes, ADoubtThatCannotBeReadIsHeldUntilItCan) {
  constexpr std::uint64_t kUntil = kBegin + 5'111;
  const queue::Locator failing = hold(kMuchLater, kUntil, UncertainPolicy::fail);
  const queue::Locator resent = hold(kMuchLater, kUntil, UncertainPolicy::resend);
  spoil(failing);
  spoil(resent);
  run_until(kUntil + kPauseMs - 1);
  EXPECT_EQ(carrier().look_at(kFlow).in_doubt, 2u);
  EXPECT_LE(looks(), 2 * kSomeLooks);
  mend(failing);
  mend(resent);
  run_until(kUntil + kPauseMs + kLateMaxMs);
  EXPECT_EQ(carrier().look_at(kFlow).in_doubt, 0u);
  const auto ended = end_of(failing);
  if (!ended) FAIL() << "it is held for ever";
  EXPECT_EQ(ended->state, State::unknown);
  EXPECT_EQ(carrier().waiting(), 1u) << "the other goes again";
}

TEST_F(UnreadableTimes, ADoubtWhoseCampaignIsCancelledEndsWhenItCanBeRead) {
  const queue::Locator at = hold(kMuchLater, 0, UncertainPolicy::hold);
  spoil(at);
  cancel_campaign(queue::Locator(at.bits() + 1));
  run_until(kBegin + kPauseMs - 1);
  EXPECT_EQ(carrier().look_at(kFlow).in_doubt, 1u);
  mend(at);
  run_until(kBegin + kPauseMs + kLateMaxMs);
  const auto ended = end_of(at);
  if (!ended) FAIL() << "it is held for ever";
  EXPECT_EQ(ended->state, State::cancelled);
}

TEST_F(UnreadableTimes, CallingBackSaysThatNothingWasWritten) {
  const queue::Locator at = hold(kMuchLater, 0, UncertainPolicy::hold);
  spoil(at);
  EXPECT_EQ(carrier().call_back(at, sequence_, "crm"), CalledBack::unreadable);
  EXPECT_FALSE(carrier().end_buried(at, false, "crm"));
  settle();
  EXPECT_EQ(carrier().look_at(kFlow).in_doubt, 1u);
  EXPECT_FALSE(end_of(at));
  mend(at);
  EXPECT_EQ(carrier().call_back(at, sequence_, "crm"), CalledBack::ended);
  settle();
  const auto ended = end_of(at);
  if (!ended) FAIL() << "its end is not written";
  EXPECT_EQ(ended->state, State::cancelled);
}

TEST_F(UnreadableTimes, AWordOnADoubtIsToldWhichFileCannotBeRead) {
  const queue::Locator at = hold(kMuchLater, 0, UncertainPolicy::hold);
  Peer peer;
  peer.client = "crm";
  spoil(at);
  const auto refused = carrier().resolve(sequence_, DoubtEnd::said_sent, peer);
  ASSERT_TRUE(refused.has_value()) << "it is in doubt here";
  EXPECT_NE(refused->unreadable.find(queue::file_name(at.file()) + ": "), std::string::npos)
      << refused->unreadable;
  settle();
  EXPECT_EQ(carrier().look_at(kFlow).in_doubt, 1u) << "it stays held";
  EXPECT_FALSE(end_of(at));
  mend(at);
  const auto answer = carrier().resolve(sequence_, DoubtEnd::said_sent, peer);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->unreadable, "");
  EXPECT_EQ(answer->state, "sent");
  EXPECT_EQ(carrier().look_at(kFlow).in_doubt, 0u);
}

class WaitingTimesOnDisk : public WaitingTimes {
 protected:
  WaitingTimesOnDisk() : WaitingTimes({.tickets_in_memory = 256}) {}
  static constexpr std::size_t kOthers = 6000;

  // One with little time in the midst of many with much. (Timers on disk: tests/queue/timers_test.)
  queue::Locator take_among_many() {
    for (const queue::Locator at : accept(kOthers / 2, kMuchLater)) {
      hand_over(at, kMuchLater);
    }
    const queue::Locator meant = take(kExpires);
    for (const queue::Locator at : accept(kOthers / 2, kMuchLater)) {
      hand_over(at, kMuchLater);
    }
    settle();
    return meant;
  }
};

TEST_F(WaitingTimesOnDisk, ExpiresInALaneThatIsMostlyOnDisk) {
  early_ms_ = 377;
  const queue::Locator at = take_among_many();
  EXPECT_GT(carrier().snapshot().waiting_spilled, kOthers / 2);
  expect_expires_in_time(at);
}

class OrderAfterARestart : public WaitingTimes {
 protected:
  OrderAfterARestart() : WaitingTimes({.order_hold = 10s}) {}

  void intend(std::uint64_t sequence) {
    Intent intent;
    intent.carrier = "north";
    intent.sequences = {sequence};
    (void)write(RecordKind::intent, intent);
  }
  void refuse(queue::Locator at, protocol::CommandStatus status, std::uint64_t retry_at_ms) {
    const auto record = known_.reader.read(at);
    ASSERT_TRUE(record);
    PartAnswered refused;
    refused.of = {.accepted = at,
                  .subject = decode_accepted(record->payload)->subject,
                  .time_ms = clock_.wall_ms(),
                  .state = State::none};
    refused.attempt = 0;  // nothing is charged for a full queue
    refused.command_status = static_cast<std::uint32_t>(status);
    refused.retry_at_ms = retry_at_ms;
    (void)write(RecordKind::part, refused);
  }
  // Two of one order key, of which a full queue refused the first.
  void refuse_the_first_of_two() {
    const queue::Locator one = accept(1, kMuchLater).front();
    intend(1);
    refuse(one, protocol::CommandStatus::message_queue_full, kBegin + 60'000);
    (void)accept(1, kMuchLater);
  }
  Replay::Report replay() {
    JournalOnDisk::settle(known_.feed);
    Replay replay = known_.replay(clock_.wall_ms());
    read_journal([&](const queue::Record& record) { replay.visit(record); });
    replay.finish(1);
    return replay.report();
  }
};

TEST_F(OrderAfterARestart, OneThatAFullQueueRefusedHoldsBackLaterOnesForTheRestOfItsHold) {
  test::LoopbackSmsc smsc(known_.context);
  refuse_the_first_of_two();
  clock_.set(kBegin + 4'000);
  EXPECT_EQ(replay().waiting, 2u);

  ASSERT_TRUE(bind(smsc));
  ASSERT_TRUE(settle_until([&] { return carrier().snapshot().waiting_held_back == 1; }));
  run_until(kBegin + 9'999);
  EXPECT_TRUE(smsc.submitted().empty());
  run_until(kBegin + 10'000 + kLateMaxMs);
  ASSERT_TRUE(settle_until([&] { return smsc.has("message 2."); }));
  EXPECT_FALSE(smsc.has("message 1."));
}

TEST_F(OrderAfterARestart, OneThatAFullQueueRefusedLongAgoHoldsNobodyBack) {
  test::LoopbackSmsc smsc(known_.context);
  refuse_the_first_of_two();
  clock_.set(kBegin + 11'000);
  EXPECT_EQ(replay().waiting, 2u);

  ASSERT_TRUE(bind(smsc));
  ASSERT_TRUE(settle_until([&] { return smsc.has("message 2."); }));
  EXPECT_EQ(carrier().snapshot().stats.order_passed, 1u) << "and history says whom it passed";
}

// A throttled one waits in its place of the line and has no record of it: it is in doubt, and the
// later one waits for the end of its pause.
TEST_F(OrderAfterARestart, OneThatWasThrottledGoesBeforeLaterOnes) {
  test::LoopbackSmsc smsc(known_.context);
  (void)accept(1, kMuchLater);
  intend(1);
  (void)accept(1, kMuchLater);
  EXPECT_EQ(replay().in_doubt, 1u);

  ASSERT_TRUE(bind(smsc));
  run_until(kBegin + 1'999);
  EXPECT_TRUE(smsc.submitted().empty());
  run_until(kBegin + 2'000 + kLateMaxMs);
  ASSERT_TRUE(settle_until([&] { return smsc.submitted().size() == 2; }));
  EXPECT_TRUE(smsc.submitted()[0].pdu.contains("message 1."));
  EXPECT_TRUE(smsc.submitted()[1].pdu.contains("message 2."));
}

}  // namespace
}  // namespace stentor::daemon
