#include "daemon/links/progress_watch.h"

#include <gtest/gtest.h>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using TimePoint = ProgressWatch::TimePoint;

using test::kStart;

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
  EXPECT_FALSE(watch.is_stuck(kStart + 1109s)) << "ten seconds had passed";
  EXPECT_TRUE(watch.is_stuck(kStart + 1110s));
}

TEST(ProgressWatch, LeavesTimeToReadWhatWasAnsweredMeanwhileButOnlyOnce) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart, {.in_flight = 3});
  watch.on_reading(false, kStart + 119'900ms);
  watch.on_reading(true, kStart + 200s);
  EXPECT_FALSE(watch.is_stuck(kStart + 200'999ms));
  EXPECT_TRUE(watch.is_stuck(kStart + 201s));

  watch.on_reading(false, kStart + 200'900ms);  // again and again, as who floods us makes it do
  watch.on_reading(true, kStart + 300s);
  EXPECT_FALSE(watch.is_stuck(kStart + 300'099ms));
  EXPECT_TRUE(watch.is_stuck(kStart + 300'100ms));

  watch.observe(kStart + 300s, {.answers = 1, .in_flight = 2});
  watch.on_reading(false, kStart + 419'900ms);
  watch.on_reading(true, kStart + 500s);
  EXPECT_FALSE(watch.is_stuck(kStart + 500'999ms)) << "it has moved: it gets that time again";
}

TEST(ProgressWatch, CountsNoTimeTwiceWhenSomethingMovesWhileNothingIsRead) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart, {.in_flight = 3});
  watch.on_reading(false, kStart + 10s);
  watch.observe(kStart + 90s, {.in_flight = 4});
  watch.on_reading(true, kStart + 100s);

  EXPECT_EQ(watch.deadline(), kStart + 220s);
}

TEST(ProgressWatch, IsStuckWhenWhatWeAnswerStaysUnread) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart + 5s, {.written = 1000, .queued = 400'000, .is_behind = true});
  watch.on_reading(false, kStart + 6s);  // whether or not we could read on

  // It reads a little, and asks for as much again.
  watch.observe(kStart + 100s, {.written = 399'999, .queued = 800'000, .is_behind = true});
  EXPECT_FALSE(watch.is_stuck(kStart + 124s));
  EXPECT_TRUE(watch.is_stuck(kStart + 125s));
  EXPECT_TRUE(watch.is_unread(kStart + 125s));
}

TEST(ProgressWatch, GivesAPeerThatCatchesUpItsTimeAgain) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart + 5s, {.written = 1000, .queued = 400'000, .is_behind = true});
  watch.observe(kStart + 100s, {.written = 400'000, .queued = 800'000, .is_behind = true});

  EXPECT_EQ(watch.deadline(), kStart + 220s);
  EXPECT_FALSE(watch.is_unread(kStart + 219s));

  watch.observe(kStart + 200s, {.written = 800'000, .queued = 800'000});
  EXPECT_EQ(watch.deadline(), TimePoint::max());
}

TEST(ProgressWatch, TellsWhatStandsFromWhatIsUnread) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart, {.in_flight = 3});

  ASSERT_TRUE(watch.is_stuck(kStart + 120s));
  EXPECT_FALSE(watch.is_unread(kStart + 120s));
  watch.wait_again(kStart + 120s);
  EXPECT_EQ(watch.deadline(), kStart + 240s);
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
