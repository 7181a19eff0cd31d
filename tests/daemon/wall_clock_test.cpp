// The date of a process: whoever sets the machine's clock, it goes on at the steady clock's pace.
#include "daemon/wall_clock.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kBegin{1'790'000'000'250};
constexpr ProcessDate::TimePoint kSteady{std::chrono::hours(77)};
constexpr milliseconds kTenYears = 87'660h;

constexpr std::uint64_t ms(milliseconds date) {
  return static_cast<std::uint64_t>(date.count());
}

class SteppedBy : public testing::TestWithParam<milliseconds> {};

TEST_P(SteppedBy, GoesOnAtThePaceOfTheSteadyClock) {
  ProcessDate date(kSteady, kBegin);
  for (milliseconds passed = 0ms; passed <= 10s; passed += 1s) {
    (void)date.look(kSteady + passed, kBegin + passed + (passed > 3s ? GetParam() : 0ms));
    EXPECT_EQ(date.at(kSteady + passed), ms(kBegin + passed));
  }
  EXPECT_EQ(date.difference(), GetParam());
}

TEST_P(SteppedBy, TellsAStepOnceAndThatItIsUndone) {
  ProcessDate date(kSteady, kBegin);
  EXPECT_FALSE(date.look(kSteady + 1s, kBegin + 1s));

  const auto step = date.look(kSteady + 2s, kBegin + 2s + GetParam());
  ASSERT_TRUE(step);
  EXPECT_EQ(step->by, GetParam());
  EXPECT_EQ(step->difference, GetParam());
  EXPECT_FALSE(date.look(kSteady + 3s, kBegin + 3s + GetParam())) << "told already";

  const auto undone = date.look(kSteady + 4s, kBegin + 4s);
  ASSERT_TRUE(undone);
  EXPECT_EQ(undone->by, -GetParam());
  EXPECT_EQ(undone->difference, 0ms);
}

INSTANTIATE_TEST_SUITE_P(ProcessDate, SteppedBy,
                         testing::Values(milliseconds(1h), milliseconds(-1h), kTenYears, -kTenYears,
                                         -kBegin, ProcessDate::kStep + 1ms,
                                         -ProcessDate::kStep - 1ms));

TEST(ProcessDate, FollowsWhatIsNoStepForwardsByAMillisecondALook) {
  ProcessDate date(kSteady, kBegin);
  EXPECT_FALSE(date.look(kSteady + 1s, kBegin + 1s + ProcessDate::kStep));
  EXPECT_EQ(date.at(kSteady + 1s), ms(kBegin + 1s + 1ms));
  EXPECT_FALSE(date.look(kSteady + 2s, kBegin + 2s + 2ms));
  EXPECT_EQ(date.at(kSteady + 2s), ms(kBegin + 2s + 2ms));
  EXPECT_FALSE(date.look(kSteady + 3s, kBegin + 3s + 2ms)) << "they agree";
  EXPECT_EQ(date.at(kSteady + 3s), ms(kBegin + 3s + 2ms));
}

TEST(ProcessDate, NeverGoesBack) {
  ProcessDate date(kSteady, kBegin);
  EXPECT_FALSE(date.look(kSteady + 1s, kBegin + 1s - ProcessDate::kStep));
  EXPECT_EQ(date.at(kSteady + 1s), ms(kBegin + 1s));
  EXPECT_EQ(date.difference(), -ProcessDate::kStep);
}

TEST(ProcessDate, BeginsAtTheEpochWhereTheClockIsBeforeIt) {
  const ProcessDate date(kSteady, -1h);
  EXPECT_EQ(date.at(kSteady), 0u);
}

TEST(ProcessDate, PausesExpiryWhenItStartsAStepBeforeTheJournal) {
  ProcessDate date(kSteady, kBegin);
  EXPECT_FALSE(date.start_after(0, kSteady)) << "an empty journal";
  EXPECT_FALSE(date.start_after(ms(kBegin - kTenYears), kSteady)) << "it was down for long";
  EXPECT_FALSE(date.start_after(ms(kBegin + ProcessDate::kStep), kSteady));
  EXPECT_EQ(date.expiry_from_ms(), 0u);

  const auto behind = date.start_after(ms(kBegin + ProcessDate::kStep + 1ms), kSteady);
  ASSERT_TRUE(behind);
  EXPECT_EQ(*behind, ProcessDate::kStep + 1ms);
  EXPECT_EQ(date.expiry_from_ms(), ms(kBegin + 60s));
}

TEST(ProcessDate, PausesExpiryWhenItStartsAStepAwayFromWhatTheDateOughtToBe) {
  for (const milliseconds away : {ProcessDate::kStep, -ProcessDate::kStep}) {
    ProcessDate date(kSteady, kBegin);
    EXPECT_FALSE(date.start_expecting(kBegin - away, kSteady));
    EXPECT_EQ(date.expiry_from_ms(), 0u);
    const milliseconds step = away + (away > 0ms ? 1ms : -1ms);
    EXPECT_EQ(date.start_expecting(kBegin - step, kSteady), step);
    EXPECT_EQ(date.expiry_from_ms(), ms(kBegin + 60s));
    EXPECT_EQ(date.suspected_lead(kSteady + 59s), std::max(step, milliseconds(0)));
    EXPECT_EQ(date.suspected_lead(kSteady + 60s), milliseconds(0)) << "it was time to set it right";
  }
}

}  // namespace
}  // namespace stentor::daemon
