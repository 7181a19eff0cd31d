#include "daemon/links/progress_watch.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using TimePoint = ProgressWatch::TimePoint;

constexpr TimePoint kStart{1000s};

TEST(ProgressWatch, WaitsForNothingWhileNothingIsDue) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart + 1h, {.answers = 0, .in_flight = 0});

  EXPECT_EQ(watch.deadline(), TimePoint::max());
  EXPECT_FALSE(watch.is_stuck(kStart + 24h));
}

TEST(ProgressWatch, IsStuckTwiceTheResponseTimeoutAfterTheLastMove) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart + 1s, {.answers = 0, .in_flight = 3});  // submits went out
  watch.observe(kStart + 60s, {.answers = 0, .in_flight = 3});

  EXPECT_FALSE(watch.is_stuck(kStart + 120s));
  EXPECT_TRUE(watch.is_stuck(kStart + 121s));
}

TEST(ProgressWatch, TakesEachAnswerAndEachSubmitForAMove) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart, {.answers = 0, .in_flight = 3});
  watch.observe(kStart + 100s, {.answers = 1, .in_flight = 3});  // one answered, one sent
  EXPECT_EQ(watch.deadline(), kStart + 220s);
  watch.observe(kStart + 200s, {.answers = 1, .in_flight = 4});
  EXPECT_EQ(watch.deadline(), kStart + 320s);
}

TEST(ProgressWatch, CountsNoTimeInWhichNothingIsRead) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart, {.in_flight = 3});
  watch.on_reading(false, kStart + 10s);  // the disk stalls

  EXPECT_FALSE(watch.is_stuck(kStart + 1000s));

  watch.on_reading(true, kStart + 1000s);
  EXPECT_FALSE(watch.is_stuck(kStart + 1119s)) << "what was answered meanwhile is read first";
  EXPECT_TRUE(watch.is_stuck(kStart + 1120s));
}

TEST(ProgressWatch, IsStuckWhileWorkThatMayGoStands) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart + 50s, {.answers = 7, .has_work = true});
  watch.observe(kStart + 80s, {.answers = 7, .has_work = true});

  EXPECT_FALSE(watch.is_stuck(kStart + 169s));
  EXPECT_TRUE(watch.is_stuck(kStart + 170s));

  watch.observe(kStart + 171s, {.answers = 7});
  EXPECT_FALSE(watch.is_stuck(kStart + 1000s)) << "nothing waits any more";
  watch.observe(kStart + 1000s, {.answers = 7, .has_work = true});
  EXPECT_FALSE(watch.is_stuck(kStart + 1119s)) << "it waits since now";
}

TEST(ProgressWatch, CountsNothingOfTheConnectionBefore) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart, {.in_flight = 3});
  watch.on_reading(false, kStart + 1s);
  watch.begin(kStart + 500s);

  EXPECT_EQ(watch.deadline(), TimePoint::max());
  watch.observe(kStart + 600s, {.in_flight = 3});
  EXPECT_EQ(watch.deadline(), kStart + 720s);
}

}  // namespace
}  // namespace stentor::daemon
