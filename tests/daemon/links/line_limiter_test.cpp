#include "daemon/links/line_limiter.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

TEST(LineLimiter, LetsTenLinesASecondThroughAndCountsTheRest) {
  LineLimiter limiter;
  const LineLimiter::TimePoint now{1000s};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(limiter.let_through(now), 0u) << i;
  for (int i = 0; i < 37; ++i) EXPECT_FALSE(limiter.let_through(now + 999ms)) << i;

  EXPECT_EQ(limiter.let_through(now + 1s), 37u);
  EXPECT_EQ(limiter.let_through(now + 1s), 0u);
}

}  // namespace
}  // namespace stentor::daemon
