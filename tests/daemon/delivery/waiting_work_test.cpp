// What a carrier tells the watch of a bind: whether something waits that could go by it now. No
// turn is taken in between, as when a wake-up was lost.
#include <gtest/gtest.h>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using test::LoopbackSmsc;
using test::OwnedTime;

class WaitingWork : public OwnedTime {
 protected:
  explicit WaitingWork(std::uint32_t rate = 0) : OwnedTime({.window = kWindow, .rate = rate}) {}
  static constexpr std::uint32_t kWindow = 2;
  static constexpr std::uint32_t kMuchLater = kSecond + 360'000;

  [[nodiscard]] bool has_work() {
    const LinkOwner& owner = carrier();
    return owner.has_work(first_);
  }
  /// It stands in the lane, and nobody was told.
  queue::Locator put_into_lane() {
    const queue::Locator at = accept(1, kMuchLater).front();
    carrier().restore_waiting(pick(at, kMuchLater), 0);
    return at;
  }
  ::testing::AssertionResult submitted(std::size_t count) {
    return settle_until([&] { return smsc_.submitted().size() == count; });
  }

  LoopbackSmsc smsc_{known_.context};
  SharedInbox inbox_;
  CarrierLinks links_{.inbox = inbox_, .attempts = {}, .tls = {}, .trace = {}};
  // Never started: it only says which bind is asked about.
  SmscLink first_{known_.context,
                  known_.config.carriers[0],
                  0,
                  protocol::BindType::transceiver,
                  carrier(),
                  links_,
                  1};
};

TEST_F(WaitingWork, IsThereWhileALaneHasSomethingThatMayGo) {
  (void)put_into_lane();
  EXPECT_FALSE(has_work()) << "it is not bound";
  ASSERT_TRUE(bind(smsc_));
  ASSERT_TRUE(submitted(1));
  EXPECT_FALSE(has_work()) << "it has gone";

  (void)put_into_lane();
  EXPECT_TRUE(has_work());
  carrier().pump();
  ASSERT_TRUE(submitted(2));
  EXPECT_FALSE(has_work());
}

TEST_F(WaitingWork, IsThereWhenItsTimeHasCome) {
  ASSERT_TRUE(bind(smsc_));
  constexpr std::uint64_t kDue = kBegin + 5'000;
  (void)take(kMuchLater, kDue);
  settle();
  clock_.set(kDue - 1);
  EXPECT_FALSE(has_work());
  clock_.set(kDue);
  EXPECT_TRUE(has_work());
}

TEST_F(WaitingWork, IsNotThereWhileTheWindowIsFull) {
  ASSERT_TRUE(bind(smsc_));
  for (std::uint32_t i = 0; i < 5 * kWindow; ++i) (void)take(kMuchLater);
  ASSERT_TRUE(submitted(kWindow));
  EXPECT_GT(carrier().waiting(), 0u);
  EXPECT_FALSE(has_work());
}

TEST_F(WaitingWork, IsNotThereWhileItIsSomebodysWill) {
  ASSERT_TRUE(bind(smsc_));
  bool is_told = false;
  carrier().suspend(true, "root", [&] { is_told = true; });
  ASSERT_TRUE(settle_until([&] { return is_told; }));
  (void)put_into_lane();
  EXPECT_FALSE(has_work());
}

TEST_F(WaitingWork, IsNotThereWhileItsIntentIsOnItsWayToTheDisk) {
  ASSERT_TRUE(bind(smsc_));
  const auto places = accept(2, kMuchLater);
  is_journal_held_back_ = true;
  hand_over(places[0], kMuchLater);
  ASSERT_TRUE(settle_until([&] { return carrier().snapshot().reserved == 1; }));
  carrier().restore_waiting(pick(places[1], kMuchLater), 0);
  EXPECT_FALSE(has_work()) << "a new bind would not make the disk faster";
  is_journal_held_back_ = false;
  ASSERT_TRUE(submitted(2));
}

class PacedWork : public WaitingWork {
 protected:
  PacedWork() : WaitingWork(1) {}
};

TEST_F(PacedWork, IsNotThereBeforeTheRateLetsItGo) {
  ASSERT_TRUE(bind(smsc_));
  (void)take(kMuchLater);
  ASSERT_TRUE(submitted(1));
  smsc_.answer(0, protocol::CommandStatus::ok, "1a");
  ASSERT_TRUE(settle_until([&] { return carrier().snapshot().stats.messages_sent == 1; }));
  (void)put_into_lane();
  EXPECT_FALSE(has_work());
  clock_.set(kBegin + 2'000);
  EXPECT_TRUE(has_work());
}

}  // namespace
}  // namespace stentor::daemon
