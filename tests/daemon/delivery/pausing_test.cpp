// Single messages paused and let go, on a carrier whose time is the test's.
#include <gtest/gtest.h>

#include "daemon/records/pause_records.h"
#include "daemon/recovery/carriage.h"
#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using test::kLateMaxMs;
using test::LoopbackSmsc;
using test::OwnedTime;

class Pausing : public OwnedTime {
 protected:
  Pausing() : OwnedTime({.window = 10, .order_hold = std::chrono::seconds(10)}) {}
  static constexpr std::uint32_t kMuchLater = kSecond + 36'000;

  void note(queue::Locator at) { ASSERT_EQ(known_.paused.pause(at), PausedMessages::Added::now); }
  PauseSaid say(queue::Locator at, bool pauses = true) {
    const PauseSaid said = carrier().say_paused({.at = at, .pauses = pauses, .by = "ops"});
    settle();
    return said;
  }
  void resume(queue::Locator at) {
    EXPECT_EQ(say(at, false), PauseSaid::written);
    known_.paused.lift(at);
    carrier().let_go(at);
  }
  /// Paused, and picked since.
  queue::Locator put_aside(std::uint32_t expires = kMuchLater) {
    const queue::Locator at = accept(1, expires).front();
    note(at);
    hand_over(at, expires);
    settle();
    EXPECT_EQ(say(at), PauseSaid::written);
    return at;
  }
  ::testing::AssertionResult submitted(std::size_t count) {
    return settle_until([&] { return smsc_.submitted().size() == count; });
  }
  void cancel_campaign(queue::Locator before) {
    FlowOrder cancel;
    cancel.flow = kFlow;
    cancel.cancelled_before = before;
    (void)carrier().obey(cancel);
    settle();
  }

  LoopbackSmsc smsc_{known_.context};
};

TEST_F(Pausing, APausedMessageStandsAsideWhileThoseBehindItGo) {
  ASSERT_TRUE(bind(smsc_));
  const queue::Locator at = put_aside();
  (void)take(kMuchLater);  // of the same order key
  ASSERT_TRUE(submitted(1));
  EXPECT_TRUE(smsc_.has("message 2."));
  EXPECT_EQ(carrier().waiting(), 1u);
  EXPECT_EQ(carrier().look_at(kFlow).ready, 1u);
  EXPECT_EQ(carrier().look_at(kFlow).limit, FlowLimit::paused);
  EXPECT_EQ(carrier().snapshot().waiting_normal, 1u);

  resume(at);
  ASSERT_TRUE(submitted(2));
  EXPECT_TRUE(smsc_.has("message 1."));
  EXPECT_EQ(carrier().waiting(), 0u);
}

TEST_F(Pausing, ExpiresAtOnceWhereItStandsAside) {
  ASSERT_TRUE(bind(smsc_));
  constexpr std::uint32_t kExpires = kSecond + 10;
  const queue::Locator at = put_aside(kExpires);
  run_until(kExpires * 1000ull - 1);
  EXPECT_FALSE(end_of(at));
  run_until(kExpires * 1000ull + kLateMaxMs);
  const auto ended = end_of(at);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->state, State::expired);
  EXPECT_LT(ended->time_ms, kExpires * 1000ull + kLateMaxMs);
  EXPECT_FALSE(known_.paused.holds(at)) << "it has ended";
  EXPECT_EQ(carrier().waiting(), 0u);
}

TEST_F(Pausing, IsCancelledWithItsCampaign) {
  ASSERT_TRUE(bind(smsc_));
  const queue::Locator at = put_aside();
  cancel_campaign(queue::Locator(at.bits() + 1));
  const auto ended = end_of(at);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->state, State::cancelled);
  EXPECT_EQ(carrier().waiting(), 0u);
  EXPECT_EQ(known_.paused.size(), 0u);
}

TEST_F(Pausing, IsCancelledByItself) {
  ASSERT_TRUE(bind(smsc_));
  const queue::Locator at = put_aside();
  EXPECT_EQ(carrier().call_back(at, sequence_, "crm"), CalledBack::not_here);
  EXPECT_TRUE(carrier().end_buried(at, false, "crm"));
  settle();
  const auto ended = end_of(at);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->state, State::cancelled);
  EXPECT_EQ(carrier().waiting(), 0u) << "its ticket does not stay behind";
  EXPECT_EQ(known_.paused.size(), 0u);
}

TEST_F(Pausing, WaitsOnWhenItsCampaignIsPausedAndResumed) {
  ASSERT_TRUE(bind(smsc_));
  const queue::Locator at = put_aside();
  for (const bool is_paused : {true, false}) {
    FlowOrder order;
    order.flow = kFlow;
    order.is_paused = is_paused;
    (void)carrier().obey(order);
    settle();
  }
  EXPECT_EQ(smsc_.submitted().size(), 0u);
  resume(at);
  ASSERT_TRUE(submitted(1));
}

TEST_F(Pausing, SaysWhatIsInHandAndWhatHasEnded) {
  ASSERT_TRUE(bind(smsc_));
  const queue::Locator written = take(kMuchLater);
  ASSERT_TRUE(submitted(1));
  EXPECT_TRUE(carrier().keeps_in_hand(written));
  const queue::Locator waits = take(kMuchLater, (kSecond + 100) * 1000ull);
  EXPECT_FALSE(carrier().keeps_in_hand(waits));
  EXPECT_EQ(say(waits), PauseSaid::ended) << "it is not among the paused";
}

TEST_F(Pausing, WhatIsReservedAndNotWrittenGoesBackAndStandsAside) {
  ASSERT_TRUE(bind(smsc_));
  constexpr std::uint32_t kWindow = 10;
  const auto places = accept(kWindow + 2, kMuchLater);
  for (const queue::Locator at : places) hand_over(at, kMuchLater);
  ASSERT_TRUE(submitted(kWindow));
  const queue::Locator reserved = places[kWindow];
  note(reserved);
  EXPECT_FALSE(carrier().keeps_in_hand(reserved));
  EXPECT_EQ(say(reserved), PauseSaid::written);
  std::size_t released = 0;
  read_journal([&](const queue::Record& record) {
    if (static_cast<RecordKind>(record.kind) != RecordKind::released) return;
    const auto taken_back = decode_released(record.payload);
    ASSERT_TRUE(taken_back);
    EXPECT_EQ(taken_back->sequences, std::vector<std::uint64_t>{kWindow + 1});
    ++released;
  });
  EXPECT_EQ(released, 1u) << "a start knows that it was not written";

  smsc_.answer(0, protocol::CommandStatus::ok, "1");
  ASSERT_TRUE(submitted(kWindow + 1));
  EXPECT_TRUE(smsc_.has("message 12."));
  EXPECT_FALSE(smsc_.has("message 11."));
  smsc_.answer(1, protocol::CommandStatus::ok, "2");
  resume(reserved);
  ASSERT_TRUE(submitted(kWindow + 2));
  EXPECT_TRUE(smsc_.has("message 11."));
}

TEST_F(Pausing, OneThatCannotBeReadIsNotSaidToBePaused) {
  const queue::Locator at = take(kMuchLater);
  note(at);
  disk_.spoil(at);
  EXPECT_EQ(say(at), PauseSaid::unreadable);
  disk_.spoil(at);  // as it was
  read_journal([](const queue::Record& record) { EXPECT_NE(record.kind, kPausedRecord); });
}

// Refused for now it holds back those behind it; paused besides it does not.
TEST_F(Pausing, APausedMessageInRetryHoldsBackNobody) {
  ASSERT_TRUE(bind(smsc_));
  const queue::Locator first = take(kMuchLater);
  ASSERT_TRUE(submitted(1));
  smsc_.answer(0, protocol::CommandStatus::system_error);
  ASSERT_TRUE(settle_until([&] { return carrier().snapshot().waiting_timers == 1; }));
  (void)take(kMuchLater);
  settle();
  EXPECT_EQ(smsc_.submitted().size(), 1u) << "it waits behind the first";
  note(first);
  EXPECT_EQ(say(first), PauseSaid::written);
  ASSERT_TRUE(submitted(2));
  EXPECT_TRUE(smsc_.has("message 2."));
}

TEST(PausedRecord, IsCarriedAsLongAsItsMessageLives) {
  Subject subject;
  subject.id = MessageId::make(1'790'000'000'000, 1, 0, 42);
  FieldWriter octets;
  encode(subject, octets);
  FieldWriter fields;
  Paused written;
  written.of = {.accepted = queue::Locator(1, 64, 0),
                .subject = octets.octets(),
                .time_ms = 1'790'000'000'007};
  written.is_paused = false;
  written.by = "ops";
  encode(written, fields);
  EXPECT_EQ(carriage_of(kPausedRecord), Carriage::follows);
  EXPECT_EQ(speaks_as(kPausedRecord), Carriage::follows);
  const auto about = about_message(
      {.kind = kPausedRecord, .payload = fields.octets(), .at = queue::Locator(1, 128, 0)},
      Carriage::follows);
  ASSERT_TRUE(about.has_value());
  EXPECT_EQ(about->sequence, 42u);
  EXPECT_FALSE(about->is_final);
  const auto read = decode_paused(fields.octets());
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->is_paused);
  EXPECT_EQ(read->by, "ops");
  EXPECT_FALSE(decode_paused(fields.octets().first(fields.size() - 1)));
}

}  // namespace
}  // namespace stentor::daemon
