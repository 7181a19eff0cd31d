#include "daemon/history/waits.h"

#include <gtest/gtest.h>

#include "daemon/delivery/wait_log.h"
#include "daemon/history/campaign_pauses.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kNoon = 1'767'607'200'000;  // 2026-01-05T10:00:00Z, a whole hour
constexpr std::uint64_t kMinute = 60'000;
constexpr std::uint64_t kHour = 60 * kMinute;

WaitSpan limited(Limiter limiter, std::uint64_t milliseconds) {
  return {static_cast<std::uint8_t>(limiter), milliseconds};
}

TEST(Waits, WhatHeldTheCarrierBackIsCountedFromTheEnd) {
  OpenHours hours;
  const Wait wait{.from_ms = 1000,
                  .until_ms = 61'000,
                  .due_cause = {},
                  .hours = {},
                  .pauses = {},
                  .carrier = {limited(Limiter::link_down, 50'000), limited(Limiter::rate, 5000),
                              limited(Limiter::empty, 5000)}};
  EXPECT_EQ(causes_of(wait, hours),
            (std::vector<Stretch>{
                {1000, 51'000, "link_down"}, {51'000, 56'000, "rate"}, {56'000, 61'000, "turn"}}));
}

TEST(Waits, EachLimiterHasACause) {
  EXPECT_EQ(cause_of_limiter(static_cast<std::uint8_t>(Limiter::window)), "window");
  EXPECT_EQ(cause_of_limiter(static_cast<std::uint8_t>(Limiter::throttled)), "throttled");
  EXPECT_EQ(cause_of_limiter(static_cast<std::uint8_t>(Limiter::suspended)), "suspended");
  EXPECT_EQ(cause_of_limiter(static_cast<std::uint8_t>(Limiter::stuck)), "stuck");
  EXPECT_EQ(cause_of_limiter(static_cast<std::uint8_t>(Limiter::scheduled)), "turn");
  EXPECT_EQ(cause_of_limiter(200), "turn") << "of a later version";
}

TEST(Waits, AWaitWithoutACauseIsNotTold) {
  OpenHours hours;
  EXPECT_TRUE(causes_of({.from_ms = 1000, .until_ms = 1900, .due_cause = {}}, hours).empty());
}

// The daemon was away, or its log does not reach back so far.
TEST(Waits, WhatIsBeforeTheCarriersLogIsNotKnown) {
  OpenHours hours;
  const Wait wait{.from_ms = 1000,
                  .until_ms = 9000,
                  .due_cause = {},
                  .hours = {},
                  .pauses = {},
                  .carrier = {limited(Limiter::link_down, 3000)}};
  EXPECT_EQ(causes_of(wait, hours),
            (std::vector<Stretch>{{1000, 6000, "not_known"}, {6000, 9000, "link_down"}}));
}

TEST(Waits, WhatIsAskedForComesBeforeThePauseAndThatBeforeTheCarrier) {
  OpenHours hours;
  const Wait wait{.from_ms = 1000,
                  .until_ms = 21'000,
                  .due_ms = 6000,
                  .due_cause = "not_before",
                  .hours = {},
                  .pauses = {{4000, 11'000, "pause"}, {15'000, kPauseGoesOn, "pause"}},
                  .carrier = {limited(Limiter::window, 20'000)}};
  EXPECT_EQ(causes_of(wait, hours), (std::vector<Stretch>{{1000, 6000, "not_before"},
                                                          {6000, 11'000, "pause"},
                                                          {11'000, 15'000, "window"},
                                                          {15'000, 21'000, "pause"}}));
}

TEST(Waits, HoursAreClosedUpToTheMinuteAndOverNights) {
  OpenHours hours;
  const Wait wait{.from_ms = kNoon - 2 * kHour,  // 08:00
                  .until_ms = kNoon + 24 * kHour,
                  .due_cause = {},
                  .hours = Hours{9 * 60 + 30, 20 * 60 + 15, "Etc/UTC"},
                  .pauses = {},
                  .carrier = {}};
  EXPECT_EQ(causes_of(wait, hours),
            (std::vector<Stretch>{
                {kNoon - 2 * kHour, kNoon - 30 * kMinute, "hours"},
                {kNoon + 10 * kHour + 15 * kMinute, kNoon + 23 * kHour + 30 * kMinute, "hours"}}));
}

TEST(CampaignPauses, EndWhenResumedAndGoOnWhenNot) {
  EXPECT_TRUE(pauses_of({}).empty());
  EXPECT_EQ(pauses_of({{10, false}, {20, true}, {30, true}, {40, false}, {50, true}}),
            (std::vector<Stretch>{{20, 40, "pause"}, {50, kPauseGoesOn, "pause"}}));
}

// As it stands now comes behind the orders: their records may be gone, or say it already.
TEST(CampaignPauses, AreKnownByHowTheCampaignStandsWhereTheOrderIsGone) {
  const std::vector<Stretch> goes_on{{20, kPauseGoesOn, "pause"}};
  EXPECT_EQ(pauses_of({{20, true}}), goes_on);
  EXPECT_EQ(pauses_of({{20, true}, {20, true}}), goes_on);
  EXPECT_EQ(pauses_of({{20, true}, {40, false}, {40, false}}),
            (std::vector<Stretch>{{20, 40, "pause"}}));
}

TEST(WaitLog, TellsWhatHeldSinceAndJoinsNeighbours) {
  WaitLog log;
  log.note(Limiter::empty, 1000);
  log.note(Limiter::rate, 2000);
  log.note(Limiter::rate, 3000);
  log.note(Limiter::link_down, 4000);

  EXPECT_EQ(log.since(1500, Limiter::window, 4500),
            (std::vector<WaitSpan>{limited(Limiter::rate, 1500), limited(Limiter::link_down, 1000),
                                   limited(Limiter::window, 500)}));
  EXPECT_EQ(
      log.since(0, Limiter::link_down, 4500),
      (std::vector<WaitSpan>{limited(Limiter::rate, 2000), limited(Limiter::link_down, 1500)}))
      << "nothing is known of what was before its first note";
}

TEST(WaitLog, AClockThatGoesBackMakesNoStretch) {
  WaitLog log;
  log.note(Limiter::rate, 10'000);
  log.note(Limiter::window, 2000);
  log.note(Limiter::rate, 11'000);
  EXPECT_EQ(log.since(0, Limiter::rate, 12'000),
            (std::vector<WaitSpan>{limited(Limiter::rate, 2000)}));
}

TEST(WaitLog, KeepsAndTellsTheLatestStretchesOnly) {
  WaitLog log;
  for (std::uint64_t i = 0; i < 3 * WaitLog::kStretchesMax; ++i) {
    log.note(i % 2 == 0 ? Limiter::rate : Limiter::window, 1000 * (i + 1));
  }
  const std::uint64_t end = 3000 * WaitLog::kStretchesMax;
  const auto told = log.since(0, Limiter::window, end);
  ASSERT_EQ(told.size(), WaitLog::kToldMax);
  for (const WaitSpan& each : told) EXPECT_EQ(each.milliseconds, 1000u);
  EXPECT_EQ(told.back(), limited(Limiter::window, 1000));
}

}  // namespace
}  // namespace stentor::daemon
