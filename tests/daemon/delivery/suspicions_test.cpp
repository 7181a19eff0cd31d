// What many refusals say of a bind, and of how messages are written for a carrier.
#include <gtest/gtest.h>

#include "daemon/delivery/fault_alarm.h"
#include "daemon/delivery/system_error_run.h"
#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

TEST(SystemErrorRun, EndsABindThatHasNoOtherAnswerForAWhile) {
  SystemErrorRun run;
  for (std::uint32_t i = 0; i < SystemErrorRun::kAnswersMin; ++i) {
    EXPECT_FALSE(run.on_answer(true, kStart + 1s * i));
  }
  EXPECT_FALSE(run.on_answer(true, kStart + 30s - 1ms));
  EXPECT_TRUE(run.on_answer(true, kStart + 30s));
  EXPECT_EQ(run.lasting(kStart + 31s), 31s);
}

TEST(SystemErrorRun, IsNoneOfAFewAnswers) {
  SystemErrorRun run;
  for (std::uint32_t i = 1; i < SystemErrorRun::kAnswersMin; ++i) {
    EXPECT_FALSE(run.on_answer(true, kStart + 60s * i));
  }
  EXPECT_TRUE(run.on_answer(true, kStart + 60s * SystemErrorRun::kAnswersMin));
}

TEST(SystemErrorRun, BeginsAnewWithAnyOtherAnswer) {
  SystemErrorRun run;
  for (int i = 0; i < 100; ++i) (void)run.on_answer(true, kStart);
  EXPECT_FALSE(run.on_answer(false, kStart + 29s));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(run.on_answer(true, kStart + 40s));
  EXPECT_TRUE(run.on_answer(true, kStart + 70s));
}

TEST(SystemErrorRun, IsTakenForItsBindsFaultOnceInTenMinutes) {
  SystemErrorRun run;
  int left = 0;
  for (int second = 0; second < 1200; ++second) {
    if (run.on_answer(true, kStart + 1s * second)) ++left;
  }
  EXPECT_EQ(left, 2);
}

TEST(FaultAlarm, BeginsWithAFifthOfAllAnswers) {
  FaultAlarm alarm;
  for (int i = 0; i < 80; ++i) EXPECT_FALSE(alarm.on_answer(false, kStart));
  for (int i = 0; i < 19; ++i) EXPECT_FALSE(alarm.on_answer(true, kStart));
  EXPECT_FALSE(alarm.is_on(kStart));
  EXPECT_TRUE(alarm.on_answer(true, kStart));
  EXPECT_TRUE(alarm.is_on(kStart));
  EXPECT_FALSE(alarm.on_answer(true, kStart)) << "it is told once";
}

TEST(FaultAlarm, IsNoneWhereLessThanAFifthIsWrong) {
  FaultAlarm alarm;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(alarm.on_answer(i % 6 == 0, kStart));
}

TEST(FaultAlarm, ForgetsWhatIsOld) {
  FaultAlarm alarm;
  for (int i = 0; i < 20; ++i) (void)alarm.on_answer(true, kStart);
  EXPECT_TRUE(alarm.is_on(kStart + FaultAlarm::kStretch));
  EXPECT_FALSE(alarm.is_on(kStart + 2 * FaultAlarm::kStretch));
  EXPECT_FALSE(alarm.on_answer(true, kStart + 2 * FaultAlarm::kStretch));
}

}  // namespace
}  // namespace stentor::daemon
