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
  watch.observe(kStart + 1h, 0, 0);

  EXPECT_EQ(watch.deadline(), TimePoint::max());
  EXPECT_FALSE(watch.is_stuck(kStart + 24h));
}

TEST(ProgressWatch, IsStuckTwiceTheResponseTimeoutAfterTheLastMove) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart + 1s, 0, 3);  // submits went out
  watch.observe(kStart + 60s, 0, 3);

  EXPECT_FALSE(watch.is_stuck(kStart + 120s));
  EXPECT_TRUE(watch.is_stuck(kStart + 121s));
}

TEST(ProgressWatch, TakesEachAnswerAndEachSubmitForAMove) {
  ProgressWatch watch(60s);
  watch.begin(kStart);
  watch.observe(kStart, 0, 3);
  watch.observe(kStart + 100s, 1, 3);  // one answered, one sent
  EXPECT_EQ(watch.deadline(), kStart + 220s);
  watch.observe(kStart + 200s, 1, 4);
  EXPECT_EQ(watch.deadline(), kStart + 320s);
}

}  // namespace
}  // namespace stentor::daemon
