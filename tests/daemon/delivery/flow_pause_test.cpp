// A campaign that is paused, on a slow carrier with a large window: what is reserved stays here.
#include <gtest/gtest.h>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using test::LoopbackSmsc;
using test::OwnedTime;

class FlowPause : public OwnedTime {
 protected:
  FlowPause() : OwnedTime({.window = 100, .rate = 5}) {}
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
  for (const queue::Locator at : accept(20, kMuchLater)) hand_over(at, kMuchLater);
  ASSERT_TRUE(settle_until([&] { return !smsc_.submitted().empty(); }));
  say_paused(true);
  const std::size_t gone = smsc_.submitted().size();
  ASSERT_LT(gone, 10u);
  run_until(kBegin + 60'000);
  EXPECT_EQ(smsc_.submitted().size(), gone) << "a minute is 300 segments";
  EXPECT_EQ(carrier().waiting(), 20u - gone);
  EXPECT_EQ(released(), 20u - gone) << "none of it is in doubt after a crash";

  say_paused(false);
  std::uint64_t now = kBegin + 60'000;
  while (smsc_.submitted().size() < 20 && now < kBegin + 120'000) run_until(now += 200);
  ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == 20; }));
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_TRUE(smsc_.submitted()[i].pdu.contains("message " + std::to_string(i + 1) + ".")) << i;
  }
}

}  // namespace
}  // namespace stentor::daemon
