// The order of messages whose carrier is gone, where an earlier one of their key has to stay there.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "daemon/delivery/order_key.h"
#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using test::LoopbackSmsc;
using test::OwnedTime;

class FailoverOrder : public OwnedTime {
 protected:
  FailoverOrder()
      : OwnedTime({.window = 100,
                   .rate = 0,
                   .order_hold = std::chrono::seconds(10),
                   .has_second = true}) {
    known_.config.carriers[0].failover_after = std::chrono::seconds(5);
    known_.routing().set_health(kSouth, CarrierHealth::up);
    key_ = key_of(to_);
  }
  static constexpr std::uint16_t kNorth = 0;
  static constexpr std::uint16_t kSouth = 1;
  static constexpr std::uint32_t kMuchLater = kSecond + 36'000;

  [[nodiscard]] static std::uint32_t key_of(std::string_view to) {
    return order_key(to, "SHOP", "", static_cast<std::uint8_t>(queue::Priority::normal));
  }
  /// It comes back from its doubt.
  queue::Locator take_doubtful() {
    const queue::Locator at = accept(1, kMuchLater).front();
    Retry retry;
    retry.possible_duplicate = true;
    carrier().restore_retry(at, std::move(retry));
    hand_over(at, kMuchLater);
    return at;
  }
  void suspend(bool is_suspended) {
    carrier().suspend(is_suspended, "ops", [] {});
    settle();
  }
  void pass(std::uint64_t seconds) { run_until(clock_.wall_ms() + seconds * 1000); }
  /// The steps of moving, of all messages: "moved" and "passed".
  std::vector<std::string> steps() {
    std::vector<std::string> steps;
    read_journal([&](const queue::Record& record) {
      if (static_cast<RecordKind>(record.kind) == RecordKind::moved) steps.emplace_back("moved");
      if (static_cast<RecordKind>(record.kind) == RecordKind::passed) steps.emplace_back("passed");
    });
    return steps;
  }
  [[nodiscard]] std::uint16_t chosen_for(const std::string& to) {
    return known_.routing().choose({to, "SHOP", ""})->carrier;
  }

  const std::string other_ = "+79160000002";
  LoopbackSmsc smsc_{known_.context};
};

using Steps = std::vector<std::string>;

TEST_F(FailoverOrder, OneThatStaysHoldsBackLaterOnesForItsTimeAndThenTheyPass) {
  (void)take_doubtful();
  (void)take(kMuchLater);
  suspend(true);
  pass(9);
  EXPECT_EQ(steps(), Steps{}) << "the second would overtake the first";
  EXPECT_EQ(carrier().waiting(), 2u);
  pass(2);
  EXPECT_EQ(steps(), (Steps{"passed", "moved"}));
  EXPECT_EQ(carrier().waiting(), 1u);
}

TEST_F(FailoverOrder, SeveralThatStayHoldBackNoLongerThanOne) {
  for (int i = 0; i < 3; ++i) (void)take_doubtful();
  (void)take(kMuchLater);
  suspend(true);
  pass(11);
  EXPECT_EQ(steps(), (Steps{"passed", "moved"}));
  EXPECT_EQ(carrier().waiting(), 3u);
}

TEST_F(FailoverOrder, OthersMoveAtOnceAndNewOnesGoElsewhere) {
  (void)take_doubtful();
  (void)take(kMuchLater);
  suspend(true);
  to_ = other_;
  key_ = key_of(other_);
  (void)take(kMuchLater);
  settle();
  EXPECT_EQ(steps(), Steps{"moved"});
  EXPECT_EQ(known_.routing().health(kNorth), CarrierHealth::suspended)
      << "that one is held back keeps nobody else's";
  EXPECT_EQ(chosen_for(other_), kSouth);
  EXPECT_EQ(chosen_for("+79161234567"), kNorth) << "behind the others of its key";
  pass(11);
  EXPECT_EQ(chosen_for("+79161234567"), kSouth);
}

TEST_F(FailoverOrder, WhatIsHeldBackGoesHomeBehindTheOneThatStayed) {
  (void)take_doubtful();
  (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == 2; }));
  smsc_.answer(0, protocol::CommandStatus::ok, "1");
  smsc_.answer(1, protocol::CommandStatus::ok, "2");
  ASSERT_TRUE(settle_until([&] { return carrier().snapshot().reserved == 0; }));
  suspend(true);
  (void)take_doubtful();
  (void)take(kMuchLater);
  (void)take(kMuchLater);
  pass(2);
  EXPECT_EQ(carrier().waiting(), 3u);
  suspend(false);
  ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == 5; }));
  EXPECT_EQ(steps(), Steps{});
  for (std::size_t i = 2; i < 5; ++i) {
    EXPECT_TRUE(smsc_.submitted()[i].pdu.contains("message " + std::to_string(i + 1) + "."));
  }
}

}  // namespace
}  // namespace stentor::daemon
