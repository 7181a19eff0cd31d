#include "daemon/control/in_doubt_told.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kNow = 1'790'000'000'000;

Config with_carriers(std::size_t count) {
  Config config;
  for (std::size_t i = 0; i < count; ++i) {
    config.carriers.emplace_back().name = "carrier" + std::to_string(i);
  }
  return config;
}

Replay::Doubts doubts(UncertainPolicy policy, std::uint64_t count, std::uint64_t seconds_ago) {
  Replay::Doubts doubts;
  doubts.by_policy[static_cast<std::size_t>(policy)] = count;
  doubts.since_ms = kNow - seconds_ago * 1000;
  return doubts;
}

TEST(InDoubtTold, SaysHowManyWhereWhatIsDoneAndSinceWhen) {
  Replay::Report report;
  report.doubts[0] = doubts(UncertainPolicy::resend, 3, 4);
  report.doubts[0].by_policy[static_cast<std::size_t>(UncertainPolicy::hold)] = 1;
  report.doubts[2] = doubts(UncertainPolicy::wait_dlr, 2, 90);
  EXPECT_EQ(in_doubt_told(with_carriers(3), report, kNow),
            "6 in doubt (carrier0: 3 resend, 1 hold; carrier2: 2 wait-dlr), the oldest for 90 s");
}

TEST(InDoubtTold, SaysThatNothingIs) {
  EXPECT_EQ(in_doubt_told(with_carriers(1), {}, kNow), "none in doubt");
}

TEST(InDoubtTold, NamesEightCarriersAndCountsAll) {
  Replay::Report report;
  for (std::uint16_t i = 0; i < 11; ++i) report.doubts[i] = doubts(UncertainPolicy::resend, 1, i);
  const std::string told = in_doubt_told(with_carriers(11), report, kNow);
  EXPECT_TRUE(told.starts_with("11 in doubt (carrier0: 1 resend; ")) << told;
  EXPECT_TRUE(told.ends_with("carrier7: 1 resend; and 3 more carriers), the oldest for 10 s"))
      << told;
}

// The clock was ahead when it was noted.
TEST(InDoubtTold, ADoubtOfTheFutureIsNew) {
  Replay::Report report;
  report.doubts[0] = doubts(UncertainPolicy::fail, 1, 0);
  report.doubts[0].since_ms = kNow + 5'000;
  EXPECT_EQ(in_doubt_told(with_carriers(1), report, kNow),
            "1 in doubt (carrier0: 1 fail), the oldest for 0 s");
}

}  // namespace
}  // namespace stentor::daemon
