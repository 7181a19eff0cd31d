// A message of which the carrier took some parts before.
#include <gtest/gtest.h>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using test::LoopbackSmsc;
using test::OwnedTime;

class TakenParts : public OwnedTime {
 protected:
  TakenParts() : OwnedTime({.window = 1}) {}
  static constexpr std::uint32_t kMuchLater = kSecond + 36'000;

  void take_again(const PartSet& taken) {
    parts_ = static_cast<std::uint8_t>(taken.size());
    padding_ = std::string(150 * (taken.size() - 1) + 20, 'x');
    const queue::Locator at = accept(1, kMuchLater).front();
    Retry retry;
    retry.attempts = 1;
    retry.taken = taken;
    carrier().restore_retry(at, retry);
    hand_over(at, kMuchLater);
    parts_ = 1;
    padding_.clear();
  }
  void answer_next(std::size_t number) {
    ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == number + 1; })) << number;
    smsc_.answer(number, protocol::CommandStatus::ok, std::to_string(1000 + number));
    ASSERT_TRUE(
        settle_until([&] { return carrier().snapshot().stats.segments_accepted == number + 1; }));
  }

  LoopbackSmsc smsc_{known_.context};
};

// The window is full when its only missing part has gone, and the answer is the next that happens.
TEST_F(TakenParts, AtItsEndAreNoReasonToStandInLineWhenItIsDone) {
  ASSERT_TRUE(bind(smsc_));
  take_again({false, true});
  answer_next(0);
  (void)take(kMuchLater);
  (void)take(kMuchLater);
  answer_next(1);
  answer_next(2);
  EXPECT_EQ(carrier().waiting(), 0u);
}

TEST_F(TakenParts, AtItsBeginningAndInItsMiddleArePassed) {
  ASSERT_TRUE(bind(smsc_));
  take_again({true, false, true, false});
  answer_next(0);
  answer_next(1);
  (void)take(kMuchLater);
  answer_next(2);
  EXPECT_EQ(carrier().waiting(), 0u);
}

}  // namespace
}  // namespace stentor::daemon
