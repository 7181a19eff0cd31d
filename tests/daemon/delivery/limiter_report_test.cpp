#include "daemon/delivery/limiter_report.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

const LimiterReport::TimePoint kStart{1h};

TEST(LimiterReport, ShowsWhatHeldLongestInTheLastSecond) {
  LimiterReport report;
  report.note(Limiter::window, kStart);
  for (auto now = kStart; now < kStart + 3s; now += 100ms) {
    report.note(Limiter::window, now);
    report.note(Limiter::rate, now + 30ms);  // 70 of each 100 ms
  }
  EXPECT_EQ(report.shown(kStart + 3s), Limiter::rate);
}

TEST(LimiterReport, ShowsTheLatestWhenNothingMovesAnyMore) {
  LimiterReport report;
  report.note(Limiter::rate, kStart);
  report.note(Limiter::rate, kStart + 1s);
  report.note(Limiter::link_down, kStart + 1100ms);
  EXPECT_EQ(report.shown(kStart + 1500ms), Limiter::rate);
  EXPECT_EQ(report.shown(kStart + 10s), Limiter::link_down);
}

TEST(LimiterReport, HasAWordForEach) {
  for (std::size_t i = 0; i < kLimiters; ++i)
    EXPECT_FALSE(name_of(static_cast<Limiter>(i)).empty());
}

}  // namespace
}  // namespace stentor::daemon
