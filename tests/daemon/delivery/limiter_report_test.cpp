#include "daemon/delivery/limiter_report.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

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

TEST(LimiterReport, ShowsTheFirstWordAtOnceAndTheFirstOneBehindAnIdleTime) {
  LimiterReport report;
  report.note(Limiter::link_down, kStart);
  EXPECT_EQ(report.shown(kStart), Limiter::link_down);
  report.note(Limiter::link_down, kStart + 1s);
  report.note(Limiter::empty, kStart + 1500ms);
  report.note(Limiter::suspended, kStart + 1h);
  EXPECT_EQ(report.shown(kStart + 1h), Limiter::suspended);
  // And from there on by seconds again.
  report.note(Limiter::rate, kStart + 1h + 100ms);
  EXPECT_EQ(report.shown(kStart + 1h + 900ms), Limiter::suspended);
  report.note(Limiter::rate, kStart + 1h + 1100ms);
  EXPECT_EQ(report.shown(kStart + 1h + 1100ms), Limiter::rate);
}

TEST(LimiterReport, HasAWordOfItsOwnForEach) {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < kLimiters; ++i) words.insert(name_of(static_cast<Limiter>(i)));
  EXPECT_EQ(words.size(), kLimiters);
  EXPECT_EQ(name_of(Limiter::stuck), "stuck");
}

}  // namespace
}  // namespace stentor::daemon
