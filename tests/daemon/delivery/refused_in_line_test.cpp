// Messages that a carrier has refused for now, and that wait in the line of their bind, when the
// carrier is suspended or their campaign paused or cancelled.
#include <gtest/gtest.h>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using protocol::CommandStatus;
using test::LoopbackSmsc;
using test::OwnedTime;

class RefusedInLine : public OwnedTime {
 protected:
  RefusedInLine() : OwnedTime({.window = 100, .rate = 10}) {}
  static constexpr std::uint32_t kMuchLater = kSecond + 36'000;

  ::testing::AssertionResult submitted(std::size_t count) {
    for (int i = 0; i < 20 && smsc_.submitted().size() < count; ++i) {  // as the rate lets them
      run_until(clock_.wall_ms() + 100);
      (void)settle_until([&, before = carrier().snapshot().stats.submitted] {
        return smsc_.submitted().size() >= before;
      });
    }
    return settle_until([&] { return smsc_.submitted().size() == count; });
  }
  /// The answer to the submit of this number, and whatever follows from it at this moment.
  ::testing::AssertionResult answered(std::size_t index, CommandStatus status) {
    const std::uint64_t before = answers();
    smsc_.answer(index, status, status == CommandStatus::ok ? "1a" : "");
    const auto came = settle_until([&] { return answers() == before + 1; });
    settle();
    return came;
  }
  [[nodiscard]] std::uint64_t answers() {
    std::uint64_t count = 0;
    for (const StatusCount& of : carrier().snapshot().stats.statuses) count += of.count;
    return count;
  }
  void suspend(bool is_suspended) {
    carrier().suspend(is_suspended, "ops", [] {});
    settle();
  }
  void obey(const FlowOrder& order) {
    (void)carrier().obey(order);
    settle();
  }
  void pass_minutes(std::uint64_t minutes) { run_until(clock_.wall_ms() + minutes * 60'000); }
  [[nodiscard]] std::size_t reserved() { return carrier().snapshot().reserved; }
  std::size_t slowed_records() {
    std::size_t count = 0;
    read_journal([&](const queue::Record& record) { count += record.kind == kSlowedRecord; });
    return count;
  }

  LoopbackSmsc smsc_{known_.context};
};

TEST_F(RefusedInLine, OfASuspendedCarrierGoesBackToItsLaneAndIsNotSubmittedAgain) {
  known_.config.carriers[0].retry.throttle.within = std::chrono::hours(1);
  (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  ASSERT_TRUE(submitted(1));
  ASSERT_TRUE(answered(0, CommandStatus::throttled));
  ASSERT_EQ(reserved(), 1u) << "it waits in its line";
  suspend(true);
  EXPECT_EQ(reserved(), 0u);
  EXPECT_EQ(carrier().waiting(), 1u);
  pass_minutes(5);
  EXPECT_EQ(smsc_.submitted().size(), 1u);

  suspend(false);
  ASSERT_TRUE(submitted(2));
  ASSERT_TRUE(answered(1, CommandStatus::throttled));
  EXPECT_EQ(slowed_records(), 1u) << "since when it is throttled is remembered";
  pass_minutes(1);
  ASSERT_TRUE(submitted(3));
  ASSERT_TRUE(answered(2, CommandStatus::ok));
  EXPECT_EQ(carrier().snapshot().stats.messages_sent, 1u);
}

TEST_F(RefusedInLine, GoesBackTooWhenItsAnswerComesAfterTheSuspension) {
  (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  ASSERT_TRUE(submitted(1));
  suspend(true);
  EXPECT_EQ(reserved(), 1u) << "nobody knows yet";
  ASSERT_TRUE(answered(0, CommandStatus::message_queue_full));
  EXPECT_EQ(reserved(), 0u);
  EXPECT_EQ(carrier().waiting(), 1u);
  pass_minutes(5);
  EXPECT_EQ(smsc_.submitted().size(), 1u);
}

TEST_F(RefusedInLine, GoesBackWhenAllItsPartsAreRefusedAndGoesOnWhenOneIsTaken) {
  parts_ = 2;
  padding_ = std::string(200, 'x');
  (void)take(kMuchLater);
  to_ = "+79160000002";
  (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  ASSERT_TRUE(submitted(4));
  suspend(true);
  ASSERT_TRUE(answered(0, CommandStatus::throttled));
  EXPECT_EQ(reserved(), 2u) << "its other part may be taken";
  ASSERT_TRUE(answered(1, CommandStatus::throttled));
  EXPECT_EQ(reserved(), 1u);
  ASSERT_TRUE(answered(2, CommandStatus::ok));
  ASSERT_TRUE(answered(3, CommandStatus::throttled));
  EXPECT_EQ(reserved(), 1u);
  pass_minutes(1);
  ASSERT_TRUE(submitted(5)) << "half a text helps nobody";
  ASSERT_TRUE(answered(4, CommandStatus::ok));
  EXPECT_EQ(carrier().snapshot().stats.messages_sent, 1u);
  EXPECT_EQ(carrier().waiting(), 1u);
}

TEST_F(RefusedInLine, OfAPausedCampaignWaitsUntilThatGoesOn) {
  (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  ASSERT_TRUE(submitted(1));
  ASSERT_TRUE(answered(0, CommandStatus::throttled));
  FlowOrder order;
  order.flow = kFlow;
  order.is_paused = true;
  obey(order);
  EXPECT_EQ(reserved(), 0u);
  pass_minutes(5);
  EXPECT_EQ(smsc_.submitted().size(), 1u);
  order.is_paused = false;
  obey(order);
  EXPECT_TRUE(submitted(2));
}

TEST_F(RefusedInLine, OfACancelledCampaignEnds) {
  const queue::Locator in_line = take(kMuchLater);
  const queue::Locator on_the_wire = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  ASSERT_TRUE(submitted(2));
  ASSERT_TRUE(answered(0, CommandStatus::throttled));
  FlowOrder order;
  order.flow = kFlow;
  order.cancelled_before = queue::Locator(on_the_wire.bits() + 1);
  obey(order);
  ASSERT_TRUE(end_of(in_line));
  EXPECT_EQ(end_of(in_line)->state, State::cancelled);
  EXPECT_FALSE(end_of(on_the_wire));
  ASSERT_TRUE(answered(1, CommandStatus::throttled));
  ASSERT_TRUE(end_of(on_the_wire)) << "it would go again";
  EXPECT_EQ(end_of(on_the_wire)->state, State::cancelled);
  EXPECT_EQ(reserved(), 0u);
}

TEST_F(RefusedInLine, IsCancelledByItself) {
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  ASSERT_TRUE(submitted(1));
  ASSERT_TRUE(answered(0, CommandStatus::throttled));
  EXPECT_EQ(carrier().call_back(at, sequence_, "crm"), CalledBack::ended);
  settle();
  ASSERT_TRUE(end_of(at));
  EXPECT_EQ(end_of(at)->state, State::cancelled);
}

}  // namespace
}  // namespace stentor::daemon
