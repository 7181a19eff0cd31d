// A campaign that is paused, on a slow carrier with a large window: what is reserved stays here.
#include <gtest/gtest.h>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using test::LoopbackSmsc;
using test::OwnedTime;

class FlowPause : public OwnedTime {
 protected:
  FlowPause() : OwnedTime({.window = 100, .rate = 200}) {}
  static constexpr std::size_t kReserve = 10;  // 50 ms of the rate
  static constexpr std::size_t kMessages = 40;
  static constexpr std::uint32_t kMuchLater = kSecond + 36'000;

  void say_paused(bool is_paused) {
    FlowOrder order;
    order.flow = kFlow;
    order.is_paused = is_paused;
    (void)carrier().obey(order);
    settle();
  }
  std::size_t released() {
    std::size_t count = 0;
    read_journal([&](const queue::Record& record) {
      if (static_cast<RecordKind>(record.kind) != RecordKind::released) return;
      if (const auto told = decode_released(record.payload)) count += told->sequences.size();
    });
    return count;
  }

  LoopbackSmsc smsc_{known_.context};
};

TEST_F(FlowPause, StopsWhatIsReservedAtOnceAndLetsItGoInItsOldOrder) {
  ASSERT_TRUE(bind(smsc_));
  for (const queue::Locator at : accept(kMessages, kMuchLater)) hand_over(at, kMuchLater);
  ASSERT_TRUE(settle_until([&] { return !smsc_.submitted().empty(); }));
  for (int i = 0; i < 20; ++i) settle();
  const std::size_t gone = smsc_.submitted().size();
  ASSERT_LT(gone + kReserve, kMessages);
  ASSERT_EQ(carrier().snapshot().reserved, gone + kReserve);
  say_paused(true);
  run_until(kBegin + 60'000);
  EXPECT_EQ(smsc_.submitted().size(), gone) << "a minute is 12,000 segments";
  EXPECT_EQ(carrier().waiting(), kMessages - gone);
  EXPECT_EQ(released(), kReserve) << "none of it is in doubt after a crash";

  say_paused(false);
  std::uint64_t now = kBegin + 60'000;
  while (smsc_.submitted().size() < kMessages && now < kBegin + 120'000) run_until(now += 5);
  ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == kMessages; }));
  for (std::size_t i = 0; i < kMessages; ++i) {
    EXPECT_TRUE(smsc_.submitted()[i].pdu.contains("message " + std::to_string(i + 1) + ".")) << i;
  }
}

}  // namespace
}  // namespace stentor::daemon
