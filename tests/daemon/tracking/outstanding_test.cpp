#include "daemon/tracking/outstanding.h"

#include <gtest/gtest.h>

#include <string>

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kNow = 1'790'000'000;

OutstandingSegment segment(std::uint32_t file, std::uint16_t minute = 100) {
  OutstandingSegment made;
  made.at = queue::Locator(file, 64, 1);
  made.expires_minute = minute;
  return made;
}

TEST(Outstanding, FindsASegmentByItsCarriersIdUntilItIsErased) {
  Outstanding outstanding({}, kNow);
  outstanding.put("8f00", segment(1));
  ASSERT_NE(outstanding.find("8f00"), nullptr);
  EXPECT_EQ(outstanding.find("8f00")->at, segment(1).at);
  EXPECT_EQ(outstanding.find("8f01"), nullptr);

  outstanding.erase("8f00");
  outstanding.erase("8f00");
  EXPECT_EQ(outstanding.find("8f00"), nullptr);
  EXPECT_EQ(outstanding.size(), 0u);
}

TEST(Outstanding, AnIdGivenTwiceMeansTheLaterSegment) {
  Outstanding outstanding({}, kNow);
  outstanding.put("1", segment(1));
  outstanding.put("1", segment(2));
  EXPECT_EQ(outstanding.size(), 1u);
  EXPECT_EQ(outstanding.find("1")->at.file(), 2u);
}

TEST(Outstanding, TakesExpiredSegmentsOutInOneRoundOfItsMaps) {
  Outstanding outstanding({}, kNow);
  for (int i = 0; i < 1000; ++i) {
    outstanding.put(std::to_string(i), segment(1, outstanding.minute_of(kNow + (i % 2) * 3600)));
  }
  std::size_t taken = 0;
  const auto round = [&](std::uint64_t now) {
    for (std::size_t i = 0; i < Outstanding::kMaps; ++i) {
      outstanding.take_expired(now, [&](const OutstandingSegment&) { ++taken; });
    }
  };

  round(kNow + 59);
  EXPECT_EQ(taken, 0u);
  round(kNow + 600);
  EXPECT_EQ(taken, 500u);
  EXPECT_EQ(outstanding.size(), 500u);
}

TEST(Outstanding, KeepsOnlyTheMessagesThatLive) {
  Outstanding outstanding({}, kNow);
  outstanding.put("a", segment(1));
  outstanding.put("b", segment(2));
  outstanding.keep_only([](queue::Locator at) { return at.file() == 2; });
  EXPECT_EQ(outstanding.find("a"), nullptr);
  EXPECT_NE(outstanding.find("b"), nullptr);
  EXPECT_EQ(outstanding.size(), 1u);
}

TEST(Outstanding, ExpiryIsBoundedToWhatAMinuteCountHolds) {
  const Outstanding outstanding({}, kNow);
  EXPECT_EQ(outstanding.minute_of(kNow), 0);
  EXPECT_EQ(outstanding.minute_of(kNow + 60), 2);
  EXPECT_EQ(outstanding.minute_of(kNow + 100'000'000), 0xffff);
}

}  // namespace
}  // namespace stentor::daemon
