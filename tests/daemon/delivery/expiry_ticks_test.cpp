#include "daemon/delivery/expiry_ticks.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kBegan = 1'790'000'000'333;

TEST(ExpiryTicks, AreNeverEarlyAndTwentyFiveMillisecondsLateAtMost) {
  const ExpiryTicks ticks(kBegan);
  for (std::uint64_t expires = kBegan; expires < kBegan + 3000; ++expires) {
    const std::uint32_t tick = ticks.of(expires);
    ASSERT_LT(ticks.at(expires - 1), tick) << expires;
    ASSERT_GE(ticks.at(expires + ExpiryTicks::kTickMs - 1), tick) << expires;
    ASSERT_GE(ticks.ms_of(tick), expires);
    ASSERT_EQ(ticks.of(ticks.ms_of(tick)), tick) << "what is handed on stays as it is";
  }
}

TEST(ExpiryTicks, AreExactAtWholeSeconds) {
  const ExpiryTicks ticks(kBegan);
  EXPECT_EQ(ticks.ms_of(ticks.of(1'790'000'005'000)), 1'790'000'005'000u);
}

TEST(ExpiryTicks, HavePassedAtTheBeginWhereTheirTimeHas) {
  const ExpiryTicks ticks(kBegan);
  EXPECT_LE(ticks.of(0), ticks.at(kBegan));
  EXPECT_LE(ticks.of(kBegan - 100'000), ticks.at(kBegan));
  EXPECT_GT(ticks.of(0), 0u) << "0 is what asks while nothing may expire";
}

TEST(ExpiryTicks, DoNotPassInThisProcessWhereTheirTimeIsYearsAway) {
  const ExpiryTicks ticks(kBegan);
  constexpr std::uint64_t kYearMs = 365ull * 86'400 * 1000;
  EXPECT_LT(ticks.of(kBegan + 2 * kYearMs), ticks.of(kBegan + 3 * kYearMs));
  EXPECT_GT(ticks.of(kBegan + 70 * kYearMs), ticks.at(kBegan + 80 * kYearMs));
}

}  // namespace
}  // namespace stentor::daemon
