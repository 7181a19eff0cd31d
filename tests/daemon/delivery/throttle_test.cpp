#include "daemon/delivery/throttle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

TEST(Throttle, LeavesTheConfiguredRateAloneWhileNobodyComplains) {
  Throttle throttle(100);
  EXPECT_EQ(throttle.rate(), 100u);
  EXPECT_FALSE(throttle.on_second(kStart));
  EXPECT_FALSE(throttle.is_cut());
}

// `rate` segments a second, from one moment to the other.
void accept(Throttle& throttle, std::uint32_t rate, Throttle::TimePoint from,
            Throttle::TimePoint to) {
  for (auto at = from; at < to; at += 1'000'000us / rate) throttle.on_accepted(at);
}

TEST(Throttle, CutsToSeventyPercentOfWhatWentThrough) {
  for (const auto lasted : {500ms, 730ms, 1000ms, 1050ms, 1730ms, 60'000ms}) {
    Throttle throttle(0);
    accept(throttle, 1000, kStart, kStart + lasted);
    EXPECT_TRUE(throttle.on_throttled(kStart + lasted));
    EXPECT_EQ(throttle.rate(), 700u) << lasted.count();
  }
}

TEST(Throttle, CutsTheRateItselfWhereAFractionOfASecondTellsNone) {
  for (const auto lasted : {0ms, 10ms, 50ms, 490ms}) {
    Throttle throttle(100);
    accept(throttle, 20, kStart, kStart + lasted);
    EXPECT_TRUE(throttle.on_throttled(kStart + lasted));
    EXPECT_EQ(throttle.rate(), 70u) << lasted.count();
  }
}

TEST(Throttle, TakesABurstForHalfASecondsWhereThereIsNoRate) {
  Throttle throttle(0);
  for (int i = 0; i < 40; ++i) throttle.on_accepted(kStart);
  EXPECT_TRUE(throttle.on_throttled(kStart + 30ms));
  EXPECT_EQ(throttle.rate(), 56u) << "as if it had come in half a second";
}

// The second that the timer counts is not the one in which traffic began.
TEST(Throttle, ForgetsAPauseBeforeIt) {
  Throttle throttle(100);
  accept(throttle, 100, kStart, kStart + 3s);
  (void)throttle.on_second(kStart + 10s);
  accept(throttle, 80, kStart + 10'900ms, kStart + 11s);
  (void)throttle.on_second(kStart + 11s);
  accept(throttle, 80, kStart + 11s, kStart + 11'500ms);
  EXPECT_TRUE(throttle.on_throttled(kStart + 11'500ms));
  EXPECT_EQ(throttle.rate(), 56u);
}

// A carrier grants 40 in any second to somebody who would send a thousand.
TEST(Throttle, FindsTheRateOfACarrierWithoutHammeringOnIt) {
  for (const std::uint32_t configured : {0u, 100u}) {
    Throttle throttle(configured);
    std::deque<Throttle::TimePoint> granted;
    int taken = 0;
    int refused = 0;
    double credit = 1;
    auto now = kStart;
    for (int turn = 1; taken < 240 && turn < 30'000; ++turn, now += 1ms) {
      if (turn % 1000 == 0) (void)throttle.on_second(now);
      credit = std::min(2.0, credit + (throttle.rate() == 0 ? 1.0 : throttle.rate() / 1000.0));
      while (!granted.empty() && granted.front() <= now - 1s) granted.pop_front();
      for (; credit >= 1 && taken < 240; credit -= 1) {
        if (granted.size() < 40) {
          granted.push_back(now);
          throttle.on_accepted(now);
          ++taken;
        } else {
          (void)throttle.on_throttled(now);
          ++refused;
        }
      }
    }
    EXPECT_EQ(taken, 240) << configured;
    EXPECT_LT(refused, 150) << configured;
    EXPECT_LT(now - kStart, 12s) << configured;
  }
}

// One message for a handset whose queue is full, while nothing else is sent.
TEST(Throttle, IsSoonUnheldAgainWhereNothingWasKnownWhenItWasCut) {
  Throttle throttle(0);
  ASSERT_TRUE(throttle.on_queue_full(kStart));
  EXPECT_EQ(throttle.rate(), 1u);
  auto now = kStart;
  for (int second = 0; second < 10; ++second) (void)throttle.on_second(now += 1s);
  EXPECT_GE(throttle.rate(), 200u) << "a mailing that comes then need not wait";
  for (int second = 0; second < 90; ++second) (void)throttle.on_second(now += 1s);
  EXPECT_FALSE(throttle.is_cut());
}

TEST(Throttle, TakesASegmentOrTwoForNoMeasureOfWhatGoesThrough) {
  Throttle throttle(0);
  throttle.on_accepted(kStart);
  ASSERT_TRUE(throttle.on_queue_full(kStart + 700ms));
  throttle.on_accepted(kStart + 1300ms);
  ASSERT_TRUE(throttle.on_queue_full(kStart + 1350ms)) << "another handset that is full";
  auto now = kStart + 2s;
  for (int second = 0; second < 10; ++second) (void)throttle.on_second(now += 1s);
  EXPECT_GE(throttle.rate(), 200u) << "a mailing that comes then need not wait";
}

TEST(Throttle, ClimbsByWhatABurstWouldTellWhereThatIsMore) {
  Throttle throttle(0);
  for (int i = 0; i < 10'000; ++i) throttle.on_accepted(kStart);
  ASSERT_TRUE(throttle.on_throttled(kStart + 30ms));
  ASSERT_EQ(throttle.rate(), 14'000u);
  accept(throttle, 14'000, kStart + 1s, kStart + 2s);
  EXPECT_TRUE(throttle.on_second(kStart + 2s));
  EXPECT_EQ(throttle.rate(), 15'000u);
}

TEST(Throttle, TakesThatStepOnlyUntilItKnowsWhatGoesThrough) {
  Throttle throttle(0);
  ASSERT_TRUE(throttle.on_throttled(kStart));
  EXPECT_TRUE(throttle.on_second(kStart + 1s));
  ASSERT_EQ(throttle.rate(), 51u);
  accept(throttle, 40, kStart + 1s, kStart + 2s);
  ASSERT_TRUE(throttle.on_throttled(kStart + 2s));
  ASSERT_EQ(throttle.rate(), 28u);
  EXPECT_TRUE(throttle.on_second(kStart + 3s));
  EXPECT_EQ(throttle.rate(), 30u) << "a twentieth of what went through";
}

TEST(Throttle, ClimbsByTheSameStepEachSecond) {
  Throttle throttle(1000);
  accept(throttle, 1000, kStart, kStart + 1s);
  ASSERT_TRUE(throttle.on_queue_full(kStart + 1s));
  ASSERT_EQ(throttle.rate(), 500u);
  auto now = kStart + 7s;
  for (const std::uint32_t rate : {550u, 600u, 650u, 700u, 750u}) {
    EXPECT_TRUE(throttle.on_second(now));
    EXPECT_EQ(throttle.rate(), rate);
    now += 1s;
  }
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
  EXPECT_EQ(throttle.rate(), 55u);
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
