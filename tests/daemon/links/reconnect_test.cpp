#include "daemon/links/reconnect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

TEST(Reconnect, PausesGrowToAMinuteAndKeepTheirJitter) {
  // At the nth failure over many seeds: never out of half a second to 2^n, and spread over it.
  constexpr std::chrono::milliseconds kLongest[] = {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s};
  constexpr int kSeeds = 200;
  std::vector<Reconnect> links;
  links.reserve(kSeeds);
  for (int seed = 1; seed <= kSeeds; ++seed) links.emplace_back(seed, 60s);
  for (const Reconnect::Duration longest : kLongest) {
    SCOPED_TRACE("up to " + std::to_string(longest / 1ms) + " ms");
    std::vector<Reconnect::Duration> pauses;
    pauses.reserve(links.size());
    for (Reconnect& link : links) pauses.push_back(link.pause(kStart, false));
    const auto [least, most] = std::ranges::minmax(pauses);
    const Reconnect::Duration width = longest - 500ms;
    EXPECT_GE(least, 500ms);
    EXPECT_LE(least, 500ms + width / 10);
    EXPECT_GE(most, longest - width / 10);
    EXPECT_LE(most, longest);
  }
}

TEST(Reconnect, ABindThatWeLeftOurselvesCountsAsOneThatStood) {
  Reconnect link(1, 60s);
  for (int i = 0; i < 9; ++i) (void)link.pause(kStart, false);
  link.on_bound(kStart);
  link.on_left_well();

  EXPECT_LE(link.pause(kStart + 2s, false), 1s);
}

TEST(Reconnect, TwoLinksThatFailTogetherDoNotComeBackTogether) {
  Reconnect one(1, 60s);
  Reconnect other(2, 60s);
  for (int failure = 0; failure < 10; ++failure) {
    EXPECT_NE(one.pause(kStart, false), other.pause(kStart, false)) << failure;
  }
  EXPECT_NE(one.pause(kStart, true), other.pause(kStart, true)) << "refused ones neither";
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
