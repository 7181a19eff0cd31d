#include "daemon/events/consumers.h"

#include <gtest/gtest.h>

#include <vector>

namespace stentor::daemon {
namespace {

TEST(Cursor, ComesBackFromItsText) {
  const EventPosition position{queue::Locator(0xfffff, 64 * 7, 12345), 2};
  EXPECT_EQ(parse_cursor(to_cursor(position)), position);
}

TEST(Cursor, RefusesWhatItNeverWrote) {
  for (const char* text : {"", "x", "0000100000400013", "0000100000400013-", "0000100000400013-256",
                           "0000100000400013-1x", "000010000040001g-1", " 000100000400013-1"}) {
    EXPECT_FALSE(parse_cursor(text)) << text;
  }
}

TEST(Cursor, OrdersAsTheJournalDoes) {
  const EventPosition first{queue::Locator(1, 64, 5), 1};
  const EventPosition second{queue::Locator(1, 64, 5), 2};
  const EventPosition third{queue::Locator(1, 128, 0), 1};
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

TEST(Consumers, AreWrittenIntoANewFileAndReadBackFromIt) {
  Consumers consumers;
  consumers.set({"crm", "a"}, {queue::Locator(1, 64, 5), 1});
  consumers.set({"crm", "b"}, {queue::Locator(2, 64, 0), 2});
  queue::RecordBatch preamble;
  consumers.add_to(preamble);
  preamble.set_base(queue::Locator(3, 64, 0));

  Consumers again;
  queue::Locator at = preamble.base();
  for (int i = 0; i < 2; ++i) {
    const queue::Record record = preamble.record(at);
    EXPECT_EQ(record.kind, static_cast<std::uint8_t>(RecordKind::consumer));
    again.restore(*decode_consumer(record.payload));
    at = queue::Locator(at.bits() + 2 + record.payload.size());  // kind, one octet of length
  }

  EXPECT_EQ(again.all(), consumers.all());
}

TEST(Consumers, WhatWasCountedFromOnePlaceIsNotToldOfAnother) {
  const Consumers::Key key{"crm", "a"};
  const EventPosition begun{queue::Locator(1, 64, 5), 1};
  Consumers consumers;
  consumers.acknowledge(key, begun);
  MissedEvents missed;
  missed.to = queue::Locator(3, 0, 0);
  missed.counts.add(1, true);
  consumers.set_missed(key, missed);
  consumers.acknowledge(key, begun);
  EXPECT_EQ(consumers.missed(key).to, missed.to) << "it says again where it is";
  consumers.acknowledge(key, {queue::Locator(1, 64, 90), 1});
  EXPECT_TRUE(consumers.missed(key).to.is_nowhere()) << "of these some are acknowledged";
}

// A journal has its own record first, a checkpoint the newest of both in the order of their places.
TEST(Consumers, KeepWhatTheyMissedOfACampaignHoweverItsRecordsStand) {
  const Consumers::Key key{"crm", "a"};
  Consumers consumers;
  consumers.set(key, {queue::Locator(1, 64, 5), 1});
  consumers.set_campaign(key, "spring");
  MissedEvents missed;
  missed.to = queue::Locator(3, 0, 0);
  missed.campaign = "spring";
  missed.counts.add(1, true);
  missed.counts.add(1, false);
  missed.of_campaign.add(1, true);
  consumers.set_missed(key, missed);
  const ConsumerAt own = consumers.record_of(key);
  const auto of_campaign = consumers.campaign_record_of(key);
  if (!of_campaign) FAIL() << "there is no record of its campaign";
  FieldWriter octets;
  encode(*of_campaign, octets);
  const auto read = decode_consumer_campaign(octets.octets());
  if (!read) FAIL() << "it does not decode";
  for (const bool own_first : {true, false}) {
    Consumers again;
    if (own_first) again.restore(own);
    again.restore(*read);
    if (!own_first) again.restore(own);
    EXPECT_EQ(again.campaign(key), "spring");
    const MissedEvents found = again.missed(key);
    EXPECT_EQ(found.to, missed.to);
    EXPECT_EQ(found.campaign, "spring");
    EXPECT_EQ(found.counts.all[1], 2u);
    EXPECT_EQ(found.of_campaign.own[1], 1u);
    EXPECT_EQ(found.of_campaign.all[1], 1u);
  }
}

TEST(Consumers, OfAllHaveNoRecordOfACampaign) {
  Consumers consumers;
  consumers.set({"crm", "a"}, {queue::Locator(1, 64, 5), 1});
  EXPECT_FALSE(consumers.campaign_record_of({"crm", "a"}));
}

}  // namespace
}  // namespace stentor::daemon
