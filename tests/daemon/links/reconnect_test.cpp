#include "daemon/links/reconnect.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

const Reconnect::TimePoint kStart{1h};

TEST(Reconnect, PausesGrowToAMinuteAndKeepTheirJitter) {
  Reconnect reconnect(42, 60s);
  EXPECT_LE(reconnect.pause(kStart, false), 1s);
  for (int i = 0; i < 20; ++i) {
    const auto pause = reconnect.pause(kStart, false);
    EXPECT_GE(pause, 500ms);
    EXPECT_LE(pause, 60s);
  }
}

TEST(Reconnect, AStableBindStartsThePausesAnewAShortOneDoesNot) {
  Reconnect reconnect(42, 60s);
  for (int i = 0; i < 5; ++i) (void)reconnect.pause(kStart, false);

  reconnect.on_bound(kStart);
  (void)reconnect.pause(kStart + 29s, false);
  EXPECT_EQ(reconnect.failures(), 6u);

  reconnect.on_bound(kStart);
  (void)reconnect.pause(kStart + 30s, false);
  EXPECT_EQ(reconnect.failures(), 1u);
}

TEST(Reconnect, RefusedCredentialsWaitAsLongAsIsSaidAndTwiceThatAtMost) {
  for (const std::chrono::milliseconds said : {2'000ms, 60'000ms}) {
    Reconnect reconnect(42, said);
    for (int i = 0; i < 10; ++i) {
      const auto pause = reconnect.pause(kStart, true);
      EXPECT_GE(pause, said);
      EXPECT_LE(pause, 2 * said);
    }
  }
}

TEST(AttemptLimiter, LetsOneAttemptASecondThrough) {
  AttemptLimiter limiter;
  EXPECT_EQ(limiter.reserve(kStart), kStart);
  EXPECT_EQ(limiter.reserve(kStart), kStart + 1s);
  EXPECT_EQ(limiter.reserve(kStart + 5s), kStart + 5s);
}

}  // namespace
}  // namespace stentor::daemon
