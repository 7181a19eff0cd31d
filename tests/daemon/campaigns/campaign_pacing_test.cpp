#include "daemon/campaigns/campaign_pacing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

const CampaignPacing::TimePoint kStart{1h};

std::uint64_t sum(const std::vector<FlowShare>& shares) {
  std::uint64_t messages = 0;
  for (const FlowShare& share : shares) messages += share.messages;
  return messages;
}

FlowShare found(std::uint16_t carrier, std::uint64_t waiting, std::uint64_t left = 0,
                queue::Flow flow = 7) {
  return {.flow = flow, .carrier = carrier, .messages = left, .waiting = waiting};
}

TEST(CampaignPacing, DealsTheRateAndNoMore) {
  CampaignPacing pacing;
  pacing.set_rate(7, 25);
  std::uint64_t dealt = 0;
  for (auto now = kStart; now <= kStart + 10s; now += 100ms) {
    const FlowShare there[] = {found(0, 1000)};
    dealt += sum(pacing.deal(there, now));
  }
  EXPECT_GE(dealt, 249u);
  EXPECT_LE(dealt, 251u);
}

TEST(CampaignPacing, ARateOfOneASecondGoesOnceASecond) {
  CampaignPacing pacing;
  pacing.set_rate(7, 1);
  std::uint64_t dealt = 0;
  for (auto now = kStart; now <= kStart + 10s; now += 100ms) {
    const FlowShare there[] = {found(0, 5), found(1, 5)};
    dealt += sum(pacing.deal(there, now));
  }
  EXPECT_GE(dealt, 9u);
  EXPECT_LE(dealt, 10u);
}

TEST(CampaignPacing, DealsByBacklogAndNeverMoreThanWaits) {
  CampaignPacing pacing;
  pacing.set_rate(7, 1000);
  const FlowShare there[] = {found(0, 300), found(1, 100), found(2, 0)};
  (void)pacing.deal(there, kStart);
  const auto dealt = pacing.deal(there, kStart + 100ms);
  ASSERT_EQ(dealt.size(), 3u);
  EXPECT_EQ(dealt[0].messages, 75u);
  EXPECT_EQ(dealt[1].messages, 25u);
  EXPECT_EQ(dealt[2].messages, 0u);
  const FlowShare few[] = {found(0, 2), found(1, 1)};
  EXPECT_EQ(sum(pacing.deal(few, kStart + 200ms)), 3u);
}

TEST(CampaignPacing, TakesBackWhatWasNotUsedAndSavesNothingUp) {
  CampaignPacing pacing;
  pacing.set_rate(7, 100);
  const FlowShare there[] = {found(0, 1000)};
  (void)pacing.deal(there, kStart);
  ASSERT_EQ(sum(pacing.deal(there, kStart + 100ms)), 10u);
  const FlowShare unused[] = {found(0, 1000, 10)};
  EXPECT_EQ(sum(pacing.deal(unused, kStart + 110ms)), 11u);
  EXPECT_EQ(sum(pacing.deal(there, kStart + 1h)), 20u) << "a fifth of a second of it";
}

TEST(CampaignPacing, NoSlidingSecondSeesMoreThanTheRateAndAFifth) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  CampaignPacing pacing;
  pacing.set_rate(7, 50);
  std::vector<std::pair<CampaignPacing::TimePoint, std::uint64_t>> spent;
  std::uint64_t left[3] = {};
  for (auto now = kStart; now < kStart + 60s;
       now += std::chrono::milliseconds(20 + random() % 300)) {
    std::vector<FlowShare> there;
    for (std::uint16_t carrier = 0; carrier < 3; ++carrier) {
      there.push_back(found(carrier, random() % 40, left[carrier]));
      left[carrier] = 0;
    }
    for (const FlowShare& share : pacing.deal(there, now)) {
      const std::uint64_t used = share.messages == 0 ? 0 : random() % (share.messages + 1);
      left[share.carrier] = share.messages - used;
      spent.emplace_back(now, used);
    }
  }
  for (const auto& [begin, first] : spent) {
    std::uint64_t in_second = 0;
    for (const auto& [at, used] : spent) {
      if (at >= begin && at < begin + 1s) in_second += used;
    }
    EXPECT_LE(in_second, 61u);
  }
}

TEST(CampaignPacing, ForgetsWhoHasNoRateAnyMore) {
  CampaignPacing pacing;
  pacing.set_rate(7, 50);
  pacing.set_rate(8, 50);
  pacing.set_rate(7, 0);
  EXPECT_FALSE(pacing.is_idle());
  pacing.keep([](queue::Flow) { return false; });
  EXPECT_TRUE(pacing.is_idle());
}

}  // namespace
}  // namespace stentor::daemon
