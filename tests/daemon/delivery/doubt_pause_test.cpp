// A message whose answer was lost goes again after a pause, in which a late receipt may end the
// doubt.
#include <gtest/gtest.h>

#include <string>

#include "daemon/delivery/submit_composer.h"
#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using protocol::CommandStatus;
using test::OwnedTime;

class DoubtPause : public OwnedTime {
 protected:
  DoubtPause() : OwnedTime({.window = 100, .rate = 0}) {}
  static constexpr std::uint32_t kMuchLater = kSecond + 360'000;
  static constexpr std::uint64_t kPauseMs = 2'000;  // the first of retry.doubt

  queue::Locator lose_an_answer() {
    const queue::Locator at = take(kMuchLater);
    EXPECT_TRUE(bind(smsc_));
    EXPECT_TRUE(settle_until([&] { return smsc_.submitted().size() == 1; }));
    smsc_.go_away();
    EXPECT_TRUE(settle_until([&] { return stats().uncertain_link_lost == 1; }));
    return at;
  }
  [[nodiscard]] CarrierStats stats() { return carrier().snapshot().stats; }
  [[nodiscard]] std::size_t in_doubt() { return carrier().look_at(kFlow).in_doubt; }
  std::optional<DoubtEnd> resolution_of(queue::Locator at) {
    std::optional<DoubtEnd> end;
    read_journal([&](const queue::Record& record) {
      if (static_cast<RecordKind>(record.kind) != RecordKind::resolved) return;
      const auto resolved = decode_resolved(record.payload);
      if (resolved && resolved->of.accepted == at) end = resolved->end;
    });
    return end;
  }
  /// As the journal has it: of the only part of the message.
  void write_doubt_of(queue::Locator at, Uncertain uncertain) {
    const auto record = known_.reader.read(at);
    ASSERT_TRUE(record);
    uncertain.of.accepted = at;
    uncertain.of.subject = decode_accepted(record->payload)->subject;
    uncertain.of.possible_duplicate = true;
    uncertain.parts = {true};
    (void)write(RecordKind::uncertain, uncertain);
    JournalOnDisk::settle(known_.feed);
  }
  const Replay::Report& start_again(RecoveredCarrier& later) {
    replay_.emplace(later.replay(clock_.wall_ms()));
    read_journal([&](const queue::Record& record) { replay_->visit(record); });
    replay_->finish(1);
    return replay_->report();
  }

  test::LoopbackSmsc smsc_{known_.context};
  std::optional<Replay> replay_;
};

TEST_F(DoubtPause, AMessageWhoseLinkWasLostWaitsForItAndGoesAgain) {
  const queue::Locator at = lose_an_answer();
  run_until(kBegin + kPauseMs - 1);
  EXPECT_EQ(in_doubt(), 1u);
  EXPECT_EQ(carrier().waiting(), 0u);
  run_until(kBegin + kPauseMs);
  settle();
  EXPECT_EQ(in_doubt(), 0u);
  EXPECT_EQ(carrier().waiting(), 1u);
  EXPECT_EQ(resolution_of(at), DoubtEnd::waited);
  EXPECT_EQ(stats().possible_duplicates, 1u);
}

TEST_F(DoubtPause, AReceiptInItEndsTheDoubtAndNothingGoesTwice) {
  known_.config.carriers[0].status = {{0x08, StatusClass::doubt, ""}};
  (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == 1; }));
  smsc_.answer(0, CommandStatus{0x08});
  ASSERT_TRUE(settle_until([&] { return stats().uncertain_status == 1; }));
  const auto reference = user_message_reference_of(MessageId::make(0, 0, 0, sequence_), 0);
  smsc_.deliver("id:8e77 stat:DELIVRD err:000", "79161234567", reference);
  ASSERT_TRUE(settle_until([&] { return stats().messages_delivered == 1; }));
  EXPECT_EQ(in_doubt(), 0u);
  run_until(kBegin + 10 * kPauseMs);
  settle();
  EXPECT_EQ(smsc_.submitted().size(), 1u);
  EXPECT_EQ(carrier().waiting(), 0u);
}

TEST_F(DoubtPause, ExpiryEndsItFirst) {
  const queue::Locator at = take(kSecond + 1);
  ASSERT_TRUE(bind(smsc_));
  ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == 1; }));
  smsc_.go_away();
  ASSERT_TRUE(settle_until([&] { return stats().uncertain_link_lost == 1; }));
  run_until(kBegin + 10 * kPauseMs);
  const auto ended = end_of(at);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->state, State::expired);
  EXPECT_EQ(carrier().waiting(), 0u);
}

TEST_F(DoubtPause, IsWaitedOutAfterARestart) {
  (void)lose_an_answer();
  JournalOnDisk::settle(known_.feed);
  CommitThread none{CommitThread::Options{}};
  RecoveredCarrier later(disk_.files(), disk_.journal(), none, {.clock = &clock_});
  const Replay::Report& report = start_again(later);
  EXPECT_EQ(report.waiting, 1u);
  EXPECT_EQ(report.in_doubt, 0u) << "told before";
  EXPECT_EQ(report.held, 0u);
  EXPECT_EQ(later.carrier.snapshot().in_doubt, 1u);
  ASSERT_TRUE(report.doubts.contains(0));
  EXPECT_EQ(report.doubts.at(0).by_policy[static_cast<std::size_t>(UncertainPolicy::resend)], 1u);
  EXPECT_EQ(report.doubts.at(0).since_ms, kBegin);
}

// The date was far ahead when it was written.
TEST_F(DoubtPause, OfAnotherClockIsNoLongerForThat) {
  const queue::Locator at = accept(1, kMuchLater).front();
  Uncertain uncertain;
  uncertain.of.time_ms = kBegin + 86'400'000;
  uncertain.reason = "link_lost";
  uncertain.policy = UncertainPolicy::resend;
  uncertain.then = UncertainPolicy::resend;
  uncertain.until_ms = uncertain.of.time_ms + kPauseMs;
  write_doubt_of(at, uncertain);
  (void)start_again(known_);
  EXPECT_EQ(carrier().snapshot().in_doubt, 1u);
  run_until(kBegin + kPauseMs);
  settle();
  EXPECT_EQ(carrier().snapshot().in_doubt, 0u);
  EXPECT_EQ(carrier().waiting(), 1u);
}

// As older versions wrote it.
TEST_F(DoubtPause, AnOlderRecordHasNone) {
  const queue::Locator at = accept(1, kMuchLater).front();
  Uncertain uncertain;
  uncertain.of.time_ms = kBegin;
  uncertain.reason = "crash";
  write_doubt_of(at, uncertain);
  EXPECT_EQ(start_again(known_).waiting, 1u);
  EXPECT_EQ(carrier().snapshot().in_doubt, 0u);
  EXPECT_EQ(carrier().waiting(), 1u);
}

}  // namespace
}  // namespace stentor::daemon
