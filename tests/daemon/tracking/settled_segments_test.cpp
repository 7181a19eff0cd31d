#include "daemon/tracking/settled_segments.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace stentor::daemon {
namespace {

SegmentKey key_of(std::uint64_t number) {
  return {.high = 0, .low = number};
}

TEST(SettledSegments, RemembersAVerdictUntilTheIdIsGivenAnew) {
  SettledSegments settled;
  const SegmentKey key = key_of(0x8f);
  settled.put(key, {queue::Locator(1, 64, 0), 2, State::delivered});
  ASSERT_TRUE(settled.find(key));
  EXPECT_EQ(settled.find(key)->state, State::delivered);
  EXPECT_EQ(settled.find(key)->part, 2);

  settled.erase(key);
  EXPECT_FALSE(settled.find(key));
}

TEST(SettledSegments, ForgetsTheOldestAtItsBound) {
  SettledSegments settled;
  for (std::size_t i = 0; i <= SettledSegments::kEntriesMax; ++i) {
    settled.put(key_of(i), {queue::Locator(1, 64, 0), 1, State::failed});
  }
  EXPECT_FALSE(settled.find(key_of(0)));
  EXPECT_TRUE(settled.find(key_of(1)));
  EXPECT_TRUE(settled.find(key_of(SettledSegments::kEntriesMax)));
}

}  // namespace
}  // namespace stentor::daemon
