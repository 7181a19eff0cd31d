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

}  // namespace
}  // namespace stentor::daemon
