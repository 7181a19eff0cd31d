#include "daemon/campaigns/campaign_registry.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kNow = 1'790'000'000'000;

class CampaignRegistryTest : public testing::Test {
 protected:
  queue::Flow number_of(std::string_view client, std::string_view name, std::uint64_t now = kNow) {
    return registry_.number_of(client, name, now, batch_).value_or(0);
  }
  void settle() {
    batch_.records.set_base(queue::Locator(1, 64, place_));
    ledger_.apply(batch_);
    batch_ = CommitBatch{};
    place_ += 1000;
  }

  CampaignLedger ledger_;
  static std::uint16_t weight_of(std::string_view client) { return client == "shop" ? 7 : 1; }

  CampaignRegistry registry_{ledger_, weight_of};
  CommitBatch batch_;
  std::uint32_t place_ = 0;
};

TEST_F(CampaignRegistryTest, GivesEachClientsCampaignANumberOfItsOwn) {
  std::set<queue::Flow> numbers;
  for (int i = 0; i < 1000; ++i) {
    numbers.insert(number_of("crm", fmt::format("c{}", i)));
    numbers.insert(number_of("web", fmt::format("c{}", i)));
  }
  numbers.insert(number_of("crm", ""));

  EXPECT_EQ(numbers.size(), 2001u);
  EXPECT_FALSE(numbers.contains(0));
  EXPECT_EQ(number_of("web", "c5"), number_of("web", "c5"));
}

TEST_F(CampaignRegistryTest, WritesARecordBesideTheFirstMessageOnly) {
  (void)number_of("crm", "spring");
  (void)number_of("crm", "spring");

  EXPECT_EQ(batch_.campaigns.size(), 1u);
  EXPECT_EQ(batch_.campaigns[0].campaign.name, "spring");
}

TEST_F(CampaignRegistryTest, GoesOnBehindWhatRecoveryFound) {
  const queue::Flow spring = number_of("crm", "spring");
  settle();

  CampaignRegistry again(ledger_, weight_of);
  CommitBatch batch;
  EXPECT_EQ(again.number_of("crm", "spring", kNow, batch), spring);
  EXPECT_EQ(again.number_of("crm", "autumn", kNow, batch), spring + 1);
}

TEST_F(CampaignRegistryTest, BeginsEachWithTheWeightOfItsClient) {
  (void)number_of("shop", "spring");
  (void)number_of("shop", "");
  (void)number_of("crm", "spring");

  ASSERT_EQ(batch_.campaigns.size(), 3u);
  EXPECT_EQ(batch_.campaigns[0].campaign.weight, 7);
  EXPECT_EQ(batch_.campaigns[1].campaign.weight, 7);
  EXPECT_EQ(batch_.campaigns[2].campaign.weight, 1);
}

TEST_F(CampaignRegistryTest,
       KeepsTheWeightThatACampaignWasGivenAndTakesAClientsFromItsConfiguration) {
  const queue::Flow spring = number_of("shop", "spring");
  const queue::Flow alone = number_of("shop", "");
  Campaign heavy = *registry_.find("shop", "spring");
  heavy.weight = 20;
  registry_.change(heavy, OrderReach::later, batch_);
  settle();

  ledger_.weigh_clients([](std::string_view) { return std::uint16_t{3}; });

  EXPECT_EQ(ledger_.find(spring)->campaign.weight, 20);
  EXPECT_EQ(ledger_.find(alone)->campaign.weight, 3);
}

TEST_F(CampaignRegistryTest, BringsTheRecordAgainWhenItsBatchWasRefused) {
  const queue::Flow spring = number_of("crm", "spring");
  registry_.on_failed(batch_);
  batch_ = CommitBatch{};

  EXPECT_EQ(number_of("crm", "spring"), spring);
  EXPECT_EQ(batch_.campaigns.size(), 1u);
}

TEST_F(CampaignRegistryTest, TakesBackASettingThatWasRefused) {
  (void)number_of("crm", "spring");
  settle();
  Campaign paused = *registry_.find("crm", "spring");
  paused.is_paused = true;
  registry_.change(paused, OrderReach::later, batch_);
  EXPECT_TRUE(registry_.find("crm", "spring")->is_paused);

  registry_.on_failed(batch_);

  EXPECT_FALSE(registry_.find("crm", "spring")->is_paused);
}

TEST_F(CampaignRegistryTest, MakesRoomOfWhatHasEndedAndNeverOfWhatIsLive) {
  for (std::size_t i = 0; i < CampaignRegistry::kCampaignsMax; ++i) {
    const queue::Flow flow = number_of("crm", fmt::format("c{}", i));
    batch_.count(flow, State::none, false);
    if (i >= 10) batch_.count(flow, State::failed, false);
  }
  settle();

  EXPECT_EQ(number_of("crm", "one more", kNow + 1000), 0u);  // used a moment ago
  const queue::Flow fresh = number_of("crm", "one more", kNow + 3'600'000);

  EXPECT_EQ(fresh, CampaignRegistry::kCampaignsMax + 1);
  EXPECT_LT(registry_.size(), CampaignRegistry::kCampaignsMax);
  for (int i = 0; i < 10; ++i) EXPECT_NE(registry_.find("crm", fmt::format("c{}", i)), nullptr);
  settle();
  EXPECT_EQ(ledger_.all().size(), registry_.size());
}

TEST_F(CampaignRegistryTest, SaysNoWhenAllAreLive) {
  for (std::size_t i = 0; i < CampaignRegistry::kCampaignsMax; ++i) {
    batch_.count(number_of("crm", fmt::format("c{}", i)), State::none, false);
  }
  settle();

  EXPECT_EQ(number_of("crm", "one more", kNow + 3'600'000), 0u);
  EXPECT_NE(number_of("crm", "c17", kNow + 3'600'000), 0u);
}

}  // namespace
}  // namespace stentor::daemon
