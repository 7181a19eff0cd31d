// Between flows, segments are shared, whatever the length of their messages.
#include <gtest/gtest.h>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

class FairShare : public test::OwnedTime {
 protected:
  FairShare() : OwnedTime({.window = 10}) {}

  static constexpr queue::Flow kLong = 8;
  static constexpr queue::Flow kShort = 9;
  static constexpr std::uint32_t kExpires = kSecond + 36'000;
  static constexpr const char* kMark = "xxxx";

  void take_many(queue::Flow flow, std::size_t count, std::size_t padding) {
    padding_ = std::string(padding, 'x');
    for (const queue::Locator at : accept(count, kExpires)) hand_over(at, kExpires, 0, flow);
  }
  /// The carrier takes so many segments, one after the other.
  void let_go(std::size_t segments) {
    for (std::size_t i = 0; i < segments; ++i) {
      ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() > i; }));
      smsc_.answer(i, protocol::CommandStatus::ok, std::to_string(1000 + i));
    }
  }
  [[nodiscard]] int long_ones(std::size_t from, std::size_t until) const {
    int found = 0;
    for (std::size_t i = from; i < until; ++i) {
      if (smsc_.submitted()[i].pdu.contains(kMark)) ++found;
    }
    return found;
  }

  test::LoopbackSmsc smsc_{known_.context};
};

TEST_F(FairShare, LongMessagesGetNoMoreSegmentsThanShortOnes) {
  take_many(kLong, 100, 600);  // four segments of 153 septets
  take_many(kShort, 300, 0);
  ASSERT_TRUE(bind(smsc_));

  let_go(220);

  EXPECT_NEAR(long_ones(20, 220), 100, 8);
}

TEST_F(FairShare, IsByWeight) {
  FlowOrder heavy;
  heavy.flow = kLong;
  heavy.weight = 3;
  (void)carrier().obey(heavy);
  take_many(kLong, 100, 600);
  take_many(kShort, 300, 0);
  ASSERT_TRUE(bind(smsc_));

  let_go(220);

  EXPECT_NEAR(long_ones(20, 220), 150, 8);
}

TEST_F(FairShare, OfLongMessagesAloneIsEverything) {
  take_many(kLong, 30, 600);
  ASSERT_TRUE(bind(smsc_));

  let_go(120);

  EXPECT_EQ(carrier().waiting(), 0u);
}

}  // namespace
}  // namespace stentor::daemon
