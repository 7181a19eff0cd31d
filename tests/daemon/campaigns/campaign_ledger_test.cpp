#include "daemon/campaigns/campaign_ledger.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

CampaignChange made(queue::Flow flow, std::string client, std::string name) {
  CampaignChange change;
  change.campaign.flow = flow;
  change.campaign.client = std::move(client);
  change.campaign.name = std::move(name);
  return change;
}

TEST(CampaignLedger, CountsWhatBecameOfMessages) {
  CampaignLedger ledger;
  CommitBatch batch;
  batch.campaigns.push_back(made(7, "crm", "spring"));
  for (int i = 0; i < 10; ++i) batch.count(7, State::none, false);
  for (int i = 0; i < 6; ++i) batch.count(7, State::sent, false);
  for (int i = 0; i < 4; ++i) batch.count(7, State::delivered, true);
  batch.count(7, State::failed, true);    // by its receipt
  batch.count(7, State::failed, false);   // refused by the carrier
  batch.count(7, State::expired, false);  // while it waited
  batch.count(7, State::sent_final, false);

  ledger.apply(batch);

  const CampaignCounts counts = ledger.find(7)->counts;
  EXPECT_EQ(counts.ledger.accepted, 10u);
  EXPECT_EQ(counts.ledger.sent, 7u);
  EXPECT_EQ(counts.waiting(), 1u);
  EXPECT_EQ(counts.awaiting_receipt(), 1u);
  EXPECT_EQ(counts.live(), 2u);
}

TEST(CampaignLedger, SilenceThatEndsAsSentIsNotSentTwice) {
  CampaignLedger ledger;
  CommitBatch batch;
  batch.count(1, State::none, false);
  batch.count(1, State::sent, false);
  batch.count(1, State::sent_final, true);

  ledger.apply(batch);

  EXPECT_EQ(ledger.find(1)->counts.ledger.sent, 1u);
  EXPECT_EQ(ledger.find(1)->counts.live(), 0u);
}

TEST(CampaignLedger, ComesBackFromTheFirstBlockOfAFile) {
  CampaignLedger before;
  CommitBatch batch;
  CampaignChange spring = made(7, "crm", "spring");
  spring.campaign.is_paused = true;
  spring.campaign.weight = 5;
  spring.campaign.cancelled_before = queue::Locator(3, 64, 8);
  batch.campaigns.push_back(spring);
  batch.count(7, State::none, false);
  batch.count(7, State::sent, false);
  batch.count(7, State::unknown, true);
  batch.count(7, State::none, false);
  before.apply(batch);
  queue::RecordBatch preamble;
  before.add_to(preamble);
  preamble.set_base(queue::Locator(4, 64, 0));

  CampaignLedger after;
  const queue::Record first = preamble.record(preamble.at(0));
  ASSERT_TRUE(after.restore(first));
  after.restore_count(7, State::sent, false);
  ASSERT_TRUE(after.restore(first));  // of the next file: has been counted

  const auto standing = after.find(7);
  EXPECT_EQ(standing->campaign.client, "crm");
  EXPECT_EQ(standing->campaign.name, "spring");
  EXPECT_TRUE(standing->campaign.is_paused);
  EXPECT_EQ(standing->campaign.weight, 5);
  EXPECT_EQ(standing->campaign.cancelled_before, queue::Locator(3, 64, 8));
  EXPECT_EQ(standing->counts.ledger.accepted, 2u);
  EXPECT_EQ(standing->counts.ledger.sent, 2u);
  EXPECT_EQ(standing->counts.waiting(), 0u);
  EXPECT_EQ(standing->counts.live(), 1u);
}

TEST(CampaignLedger, ACancelReachesToThePlaceOfItsOwnRecord) {
  Campaign spring;
  spring.flow = 7;
  FieldWriter fields;
  encode(spring, OrderReach::cancels, fields);
  CommitBatch batch;
  CampaignChange change;
  change.campaign = spring;
  change.reach = OrderReach::cancels;
  change.record_offset = batch.records.add(13, fields.octets());
  batch.campaigns.push_back(change);
  batch.records.set_base(queue::Locator(2, 128, 40));

  CampaignLedger live;
  live.apply(batch);
  CampaignLedger replayed;
  const queue::Locator at = batch.records.at(change.record_offset);
  ASSERT_TRUE(replayed.restore(batch.records.record(at)));

  EXPECT_EQ(live.find(7)->campaign.cancelled_before, at);
  EXPECT_EQ(replayed.find(7)->campaign.cancelled_before, at);
}

// Orders that come later carry what their giver knew, which may be less than what has happened.
TEST(CampaignLedger, ALaterOrderTakesNoCancelAndNoMoveBack) {
  CampaignLedger live;
  CampaignLedger replayed;
  Campaign spring;
  spring.flow = 7;
  std::uint32_t block = 64;
  const auto order = [&](OrderReach reach) {
    FieldWriter fields;
    encode(spring, reach, fields);
    CommitBatch batch;
    CampaignChange change;
    change.campaign = spring;
    change.reach = reach;
    change.record_offset = batch.records.add(13, fields.octets());
    batch.campaigns.push_back(change);
    batch.records.set_base(queue::Locator(2, block += 64, 40));
    live.apply(batch);
    const queue::Locator at = batch.records.at(change.record_offset);
    EXPECT_TRUE(replayed.restore(batch.records.record(at)));
    return at;
  };
  const queue::Locator cancelled = order(OrderReach::cancels);
  spring.moved_to = "south";
  const queue::Locator moved = order(OrderReach::moves);
  spring.is_paused = true;
  spring.rate = 50;
  (void)order(OrderReach::later);
  for (const CampaignLedger* ledger : {&live, &replayed}) {
    const auto standing = ledger->find(7);
    if (!standing) FAIL() << "it is there";
    EXPECT_EQ(standing->campaign.cancelled_before, cancelled);
    EXPECT_EQ(standing->campaign.moved_before, moved);
    EXPECT_EQ(standing->campaign.moved_to, "south");
    EXPECT_EQ(standing->campaign.rate, 50u);
    EXPECT_TRUE(standing->campaign.is_paused);
  }
}

TEST(CampaignLedger, MessagesFromBeforeNumbersGetOneByName) {
  CampaignLedger ledger;
  CommitBatch batch;
  batch.campaigns.push_back(made(7, "crm", "spring"));
  ledger.apply(batch);

  EXPECT_EQ(ledger.adopt(0, "crm", "spring"), 7u);
  EXPECT_EQ(ledger.adopt(0, "crm", "autumn"), 8u);
  EXPECT_EQ(ledger.adopt(0, "web", "spring"), 9u);
  EXPECT_EQ(ledger.adopt(0, "crm", "autumn"), 8u);
}

TEST(CampaignLedger, TellsTheRateOfTheLastSeconds) {
  CampaignLedger ledger;
  const std::chrono::steady_clock::time_point start{1h};
  ledger.sample(start);
  for (int second = 1; second <= 60; ++second) {
    CommitBatch batch;
    for (int i = 0; i < 100; ++i) batch.count(1, State::sent, false);
    ledger.apply(batch);
    ledger.sample(start + std::chrono::seconds(second));
  }

  EXPECT_NEAR(ledger.find(1)->sent_per_second, 100, 1);
}

}  // namespace
}  // namespace stentor::daemon
