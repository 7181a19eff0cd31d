#include "daemon/delivery/throttle.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

const Throttle::TimePoint kStart{1h};

TEST(Throttle, LeavesTheConfiguredRateAloneWhileNobodyComplains) {
  Throttle throttle(100);
  EXPECT_EQ(throttle.rate(), 100u);
  EXPECT_FALSE(throttle.on_second(kStart));
  EXPECT_FALSE(throttle.is_cut());
}

TEST(Throttle, CutsToSeventyPercentOfWhatWentThrough) {
  Throttle throttle(0);
  for (int i = 0; i < 1000; ++i) throttle.on_accepted(kStart);

  EXPECT_TRUE(throttle.on_throttled(kStart + 900ms));
  EXPECT_EQ(throttle.rate(), 700u);
}

TEST(Throttle, CountsTheAnswersToOneBurstOnce) {
  Throttle throttle(100);
  for (int i = 0; i < 100; ++i) throttle.on_accepted(kStart);
  EXPECT_TRUE(throttle.on_throttled(kStart + 100ms));
  const auto rate = throttle.rate();

  EXPECT_FALSE(throttle.on_throttled(kStart + 101ms));
  EXPECT_FALSE(throttle.on_throttled(kStart + 599ms));
  EXPECT_EQ(throttle.rate(), rate);
}

TEST(Throttle, ClimbsAgainToTheConfiguredRateAndNoFurther) {
  Throttle throttle(100);
  for (int i = 0; i < 100; ++i) throttle.on_accepted(kStart);
  ASSERT_TRUE(throttle.on_throttled(kStart + 100ms));
  auto now = kStart + 2s;

  for (int i = 0; i < 60; ++i, now += 1s) (void)throttle.on_second(now);

  EXPECT_EQ(throttle.rate(), 100u);
  EXPECT_FALSE(throttle.is_cut());
}

TEST(Throttle, HalvesForAFullQueueAndLetsItDrain) {
  Throttle throttle(100);
  for (int i = 0; i < 100; ++i) throttle.on_accepted(kStart);
  ASSERT_TRUE(throttle.on_queue_full(kStart + 100ms));
  EXPECT_EQ(throttle.rate(), 50u);

  EXPECT_FALSE(throttle.on_second(kStart + 5s)) << "the queue over there still drains";
  EXPECT_TRUE(throttle.on_second(kStart + 5100ms));
  EXPECT_EQ(throttle.rate(), 52u);
}

TEST(Throttle, DoesNotClimbWhileItIsStillToldThatItIsTooFast) {
  Throttle throttle(100);
  for (int i = 0; i < 100; ++i) throttle.on_accepted(kStart);
  ASSERT_TRUE(throttle.on_throttled(kStart + 100ms));
  EXPECT_FALSE(throttle.on_throttled(kStart + 590ms)) << "the same burst";
  EXPECT_FALSE(throttle.on_second(kStart + 1500ms));
  EXPECT_TRUE(throttle.on_second(kStart + 1590ms));
}

TEST(Throttle, NeverFallsToZeroWhichWouldMeanNoLimit) {
  Throttle throttle(0);
  auto now = kStart;
  for (int i = 0; i < 100; ++i, now += 1s) (void)throttle.on_throttled(now);
  EXPECT_EQ(throttle.rate(), 1u);
}

}  // namespace
}  // namespace stentor::daemon
