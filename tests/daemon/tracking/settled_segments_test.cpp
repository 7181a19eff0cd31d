#include "daemon/tracking/settled_segments.h"

#include <gtest/gtest.h>

#include <string>

namespace stentor::daemon {
namespace {

TEST(SettledSegments, RemembersAVerdictUntilTheIdIsGivenAnew) {
  SettledSegments settled;
  settled.put("8f", {queue::Locator(1, 64, 0), 2, State::delivered});
  ASSERT_TRUE(settled.find("8f"));
  EXPECT_EQ(settled.find("8f")->state, State::delivered);
  EXPECT_EQ(settled.find("8f")->part, 2);

  settled.erase("8f");
  EXPECT_FALSE(settled.find("8f"));
}

TEST(SettledSegments, ForgetsTheOldestAtItsBound) {
  SettledSegments settled;
  for (std::size_t i = 0; i <= SettledSegments::kEntriesMax; ++i) {
    settled.put(std::to_string(i), {queue::Locator(1, 64, 0), 1, State::failed});
  }
  EXPECT_FALSE(settled.find("0"));
  EXPECT_TRUE(settled.find("1"));
  EXPECT_TRUE(settled.find(std::to_string(SettledSegments::kEntriesMax)));
}

}  // namespace
}  // namespace stentor::daemon
