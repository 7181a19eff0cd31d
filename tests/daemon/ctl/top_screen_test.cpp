#include "daemon/ctl/top_screen.h"

#include <gtest/gtest.h>

#include "daemon/ctl/shown.h"

namespace stentor::ctl {
namespace {

using namespace std::chrono_literals;

Sample at(std::chrono::steady_clock::duration when, std::int64_t accepted, std::int64_t segments) {
  CarrierStatus carrier;
  carrier.name = "north";
  carrier.state = "up";
  carrier.binds = 2;
  carrier.bound = 2;
  carrier.window = 50;
  carrier.in_flight = 23;
  carrier.segments_sent = segments;
  Status status;
  status.version = "0.1.0";
  status.accepted = accepted;
  status.carriers.push_back(carrier);
  return {.at = std::chrono::steady_clock::time_point(when), .status = status};
}

TEST(TopScreen, RatesAreGrowthOverTheTimeBetween) {
  const auto page = top_screen(at(0s, 1000, 0), at(2s, 21000, 500));

  EXPECT_EQ(page.at(3), "accepted   21,000  10,000/s");
  EXPECT_EQ(page.back(),
            "north    up       2/2     23/100   none                 0     0 s  250/s        0/s   "
            "       0  "
            "     0       0     0");
}

TEST(TopScreen, ACountThatFellBeganAnew) {
  EXPECT_EQ(per_second(5000, 10, 1s), 0);
  EXPECT_EQ(per_second(10, 20, 0s), 0);
  EXPECT_EQ(per_second(10, 20, 500ms), 20);
}

TEST(TopScreen, ACarrierThatWasNotThereBeforeHasNoRateYet) {
  Sample before = at(0s, 0, 0);
  before.status.carriers.clear();

  EXPECT_NE(top_screen(before, at(1s, 0, 500)).back().find(" 0/s"), std::string::npos);
}

TEST(TopScreen, TheLineNamesEachCarrier) {
  EXPECT_EQ(top_line(at(0s, 0, 0), at(1s, 5, 0)),
            "accepted 5.0/s  sent 0/s  delivered 0/s  failed 0/s  waiting 0  oldest 0 s  memory 0 B"
            "  north up 2/2 in flight 23/100");
}

TEST(Shown, NumbersAsPeopleReadThem) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(octets_shown(1023), "1023 B");
  EXPECT_EQ(octets_shown(1024), "1.0 KiB");
  EXPECT_EQ(octets_shown(123LL << 20), "123 MiB");
  EXPECT_EQ(seconds_shown(0), "0 s");
  EXPECT_EQ(seconds_shown(9.94), "9.9 s");
  EXPECT_EQ(seconds_shown(3599), "59 min 59 s");
  EXPECT_EQ(seconds_shown(3600), "1 h 0 min");
  EXPECT_EQ(seconds_shown(90000), "1 d 1 h");
  EXPECT_EQ(rate_shown(0.25), "0.2/s");
  EXPECT_EQ(rate_shown(12345.4), "12,345/s");
}

TEST(Shown, WhatUpsetsATerminalIsShownByItsCode) {
  EXPECT_EQ(printable("Жж €"), "Жж €");
  EXPECT_EQ(printable("a\x1b[2J\nb\x7f"), "a\\u001b[2J\\u000ab\\u007f");
  EXPECT_EQ(printable("\u202Eabc\u0085"), "\\u202eabc\\u0085");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xc0\x80\xed\xa0\x80"), "\\xc0\\x80\\xed\\xa0\\x80");
}

TEST(Shown, CutsBetweenCharacters) {
  EXPECT_EQ(cut("ЖЖЖ", 2), "ЖЖ");
  EXPECT_EQ(cut("ab", 2), "ab");
  EXPECT_EQ(cut("ab", 0), "");
}

}  // namespace
}  // namespace stentor::ctl
