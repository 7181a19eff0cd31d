#include "daemon/hours/open_hours.h"

#include <gtest/gtest.h>

#include "daemon/ingress/timestamp.h"

namespace stentor::daemon {
namespace {

std::uint64_t at(std::string_view time) {
  return parse_rfc3339(time).value();
}

Hours hours(std::string_view from, std::string_view to, std::string_view zone) {
  return {parse_minute(from).value(), parse_minute(to).value(), zone};
}

TEST(OpenHours, ReadsMinutesOfTheDay) {
  EXPECT_EQ(parse_minute("00:00"), 0);
  EXPECT_EQ(parse_minute("09:05"), 545);
  EXPECT_EQ(parse_minute("24:00"), 1440);
  for (const char* wrong : {"24:01", "9:00", "09:60", "0900", "09:0", "ab:cd", "09-00", ""}) {
    EXPECT_FALSE(parse_minute(wrong)) << wrong;
  }
}

TEST(OpenHours, IsOpenFromTheFirstMinuteUpToTheLast) {
  OpenHours open;
  const Hours day = hours("09:00", "21:00", "Europe/Samara");  // UTC+4 all year
  EXPECT_EQ(open.next_open(day, at("2026-11-25T05:00:00Z")), at("2026-11-25T05:00:00Z"));
  EXPECT_EQ(open.next_open(day, at("2026-11-25T16:59:59.999Z")), at("2026-11-25T16:59:59.999Z"));
  EXPECT_EQ(open.next_open(day, at("2026-11-25T17:00:00Z")), at("2026-11-26T05:00:00Z"));
  EXPECT_EQ(open.next_open(day, at("2026-11-25T04:59:59.999Z")), at("2026-11-25T05:00:00Z"));
}

TEST(OpenHours, MayGoOverMidnight) {
  OpenHours open;
  const Hours night = hours("22:00", "06:00", "Europe/Samara");
  EXPECT_EQ(open.next_open(night, at("2026-11-25T20:00:00Z")), at("2026-11-25T20:00:00Z"));
  EXPECT_EQ(open.next_open(night, at("2026-11-25T02:00:00Z")), at("2026-11-25T18:00:00Z"));
}

TEST(OpenHours, FollowsTheClockWhenItIsChanged) {
  OpenHours open;
  const Hours day = hours("09:00", "21:00", "Europe/Berlin");
  EXPECT_EQ(open.next_open(day, at("2027-03-27T22:00:00Z")), at("2027-03-28T07:00:00Z"));
  EXPECT_EQ(open.next_open(day, at("2027-03-26T22:00:00Z")), at("2027-03-27T08:00:00Z"));
  EXPECT_EQ(open.next_open(day, at("2026-10-24T22:00:00Z")), at("2026-10-25T08:00:00Z"));
}

TEST(OpenHours, AnHourThatIsLeftOutComesTheNextDay) {
  OpenHours open;
  const Hours gap = hours("02:15", "02:45", "Europe/Berlin");
  EXPECT_EQ(open.next_open(gap, at("2027-03-27T12:00:00Z")), at("2027-03-29T00:15:00Z"));
}

TEST(OpenHours, AnHourThatComesTwiceIsOpenTwice) {
  OpenHours open;
  const Hours twice = hours("02:15", "02:45", "Europe/Berlin");
  EXPECT_EQ(open.next_open(twice, at("2026-10-25T00:00:00Z")), at("2026-10-25T00:15:00Z"));
  EXPECT_EQ(open.next_open(twice, at("2026-10-25T00:50:00Z")), at("2026-10-25T01:15:00Z"));
}

TEST(OpenHours, ARegionIsOpenWhenAllItsZonesAre) {
  OpenHours open;
  const Hours russia = hours("09:00", "21:00", "@RU");  // UTC+2 to UTC+12
  EXPECT_EQ(open.next_open(russia, at("2026-11-25T00:00:00Z")), at("2026-11-25T07:00:00Z"));
  EXPECT_EQ(open.next_open(russia, at("2026-11-25T08:59:00Z")), at("2026-11-25T08:59:00Z"));
  EXPECT_EQ(open.next_open(russia, at("2026-11-25T09:00:00Z")), at("2026-11-26T07:00:00Z"));
  EXPECT_FALSE(open.next_open(hours("09:00", "18:00", "@RU"), at("2026-11-25T00:00:00Z")));
}

TEST(OpenHours, KnowsZonesAndRegions) {
  OpenHours open;
  for (const char* zone : {"Europe/Samara", "UTC", "@RU", "@US,CA", "@KZ"}) {
    EXPECT_TRUE(open.knows(zone)) << zone;
  }
  for (const char* zone : {"Europe/Samarra", "", "@", "@ZZ", "Mars/Olympus"}) {
    EXPECT_FALSE(open.knows(zone)) << zone;
  }
  EXPECT_FALSE(open.next_open(hours("09:00", "21:00", "Mars/Olympus"), 0));
}

// What was found once is kept; what is kept must be what would be found.
TEST(OpenHours, AnswersTheSameFromMemory) {
  const Hours day = hours("09:00", "21:00", "America/New_York");
  OpenHours kept;
  for (std::uint64_t time = at("2026-10-30T00:00:00Z"); time < at("2026-11-03T00:00:00Z");
       time += 7 * 60'000) {
    OpenHours fresh;
    ASSERT_EQ(kept.next_open(day, time), fresh.next_open(day, time)) << time;
  }
}

}  // namespace
}  // namespace stentor::daemon
