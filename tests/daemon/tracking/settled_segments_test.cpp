#include "daemon/tracking/settled_segments.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

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

// Of any ids: a few of the oldest may meet where there is no more room.
TEST(SettledSegments, KnowsTheNewestToTheLastAndNearlyAllOfTheOlder) {
  std::mt19937_64 random(1);
  std::vector<SegmentKey> keys(3 * SettledSegments::kEntriesMax);
  for (SegmentKey& key : keys) key = key_of(random());
  SettledSegments settled;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    settled.put(keys[i], {queue::Locator(i + 1), 1, State::failed});
  }
  std::size_t known = 0;
  for (std::size_t i = keys.size() - SettledSegments::kEntriesMax; i < keys.size(); ++i) {
    const auto found = settled.find(keys[i]);
    if (found) {
      EXPECT_EQ(found->at, queue::Locator(i + 1));
      ++known;
    } else {
      EXPECT_LT(i, keys.size() - SettledSegments::kEntriesMax / 4);
    }
  }
  EXPECT_GT(known, SettledSegments::kEntriesMax * 99 / 100);
  for (std::size_t i = 0; i < 100'000; ++i) EXPECT_FALSE(settled.find(keys[i]));
}

TEST(SettledSegments, OneThatIsGivenAgainIsKnownAsLongAsAnyOther) {
  SettledSegments settled;
  const SegmentKey again = key_of(~std::uint64_t{0});
  settled.put(again, {queue::Locator(1), 1, State::failed});
  settled.erase(again);
  for (std::size_t i = 0; i < SettledSegments::kEntriesMax; ++i) {
    settled.put(key_of(i), {queue::Locator(2), 1, State::failed});
    if (i == 100) settled.put(again, {queue::Locator(3), 1, State::delivered});
  }
  ASSERT_TRUE(settled.find(again)) << "its first place in the order is over, its second is not";
  EXPECT_EQ(settled.find(again)->state, State::delivered);
}

}  // namespace
}  // namespace stentor::daemon
