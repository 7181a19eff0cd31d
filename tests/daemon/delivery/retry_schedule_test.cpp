#include "daemon/delivery/retry_schedule.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

TEST(RetrySchedule, GoesThroughItsPausesAndRepeatsTheLast) {
  const RetryRule rule{.attempts = 5, .pauses = {2s, 10s}};
  const RetrySchedule schedule(rule);
  EXPECT_EQ(schedule.pause_after(1, 0s), 2s);
  EXPECT_EQ(schedule.pause_after(2, 2s), 10s);
  EXPECT_EQ(schedule.pause_after(4, 22s), 10s);
}

TEST(RetrySchedule, EndsWithItsLastAttempt) {
  const RetryRule rule{.attempts = 3, .pauses = {1s}};
  EXPECT_TRUE(RetrySchedule(rule).pause_after(2, 1s));
  EXPECT_FALSE(RetrySchedule(rule).pause_after(3, 2s));
}

TEST(RetrySchedule, EndsWhenTheNextAttemptWouldComeTooLate) {
  const RetryRule rule{.attempts = 0, .pauses = {10s}, .within = 30s};
  EXPECT_EQ(RetrySchedule(rule).pause_after(3, 20s), 10s);
  EXPECT_FALSE(RetrySchedule(rule).pause_after(3, 20001ms));
}

TEST(RetrySchedule, KnowsAfterARestartHowLongItHasBeenGoingOn) {
  const RetryRule rule{.attempts = 9, .pauses = {2s, 5s, 15s}};
  EXPECT_EQ(RetrySchedule(rule).earliest(1), 0s);
  EXPECT_EQ(RetrySchedule(rule).earliest(4), 22s);
  EXPECT_EQ(RetrySchedule(rule).earliest(6), 52s);
}

TEST(RetrySchedule, HasTheDefaultsOfTheDocuments) {
  const RetryConfig defaults;
  EXPECT_EQ(RetrySchedule(defaults.temporary).pause_after(8, 1h), 3600s);
  EXPECT_FALSE(RetrySchedule(defaults.temporary).pause_after(9, 2h));
  EXPECT_EQ(RetrySchedule(defaults.unknown).pause_after(2, 2s), 5s);
  EXPECT_FALSE(RetrySchedule(defaults.unknown).pause_after(3, 7s));
}

}  // namespace
}  // namespace stentor::daemon
