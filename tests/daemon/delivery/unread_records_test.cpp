// A receipt whose message's record the disk does not give: through a link, the tracker and a
// journal.
#include <gtest/gtest.h>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using UnreadRecords = test::OwnedTime;
using test::LoopbackSmsc;

TEST_F(UnreadRecords, AreKeptAnsweredAndToldWhenTheRecordCanBeReadAgain) {
  constexpr std::uint32_t kMuchLater = kSecond + 36'000;
  const queue::Locator at = accept(1, kMuchLater).front();
  carrier().restore_outstanding(
      {.message_id = "8f00",
       .of = {.accepted = at, .subject = {}, .time_ms = kBegin, .possible_duplicate = false},
       .expires = kMuchLater});
  carrier().keep_outstanding_of({at.bits()}, {});
  disk_.spoil(at);
  LoopbackSmsc smsc(known_.context);
  ASSERT_TRUE(bind(smsc));

  smsc.deliver("id:8f00 stat:DELIVRD err:000 text:");
  ASSERT_TRUE(settle_until([&] { return smsc.deliver_answers() == 1; }));
  CarrierSnapshot kept = carrier().snapshot();
  EXPECT_EQ(kept.stats.receipts_unread, 1u);
  EXPECT_EQ(kept.early_receipts, 1u);
  EXPECT_EQ(kept.outstanding, 1u);
  EXPECT_EQ(carrier().orphans(10).unread, 1u);

  run_until(kBegin + 59'000);
  EXPECT_EQ(carrier().snapshot().stats.messages_delivered, 0u);
  disk_.spoil(at);  // as it was
  run_until(kBegin + 130'000);
  const CarrierSnapshot told = carrier().snapshot();
  EXPECT_EQ(told.stats.messages_delivered, 1u);
  EXPECT_EQ(told.early_receipts, 0u);
  EXPECT_EQ(told.outstanding, 0u);
  std::size_t orphans = 0;
  std::size_t receipts = 0;
  read_journal([&](const queue::Record& record) {
    if (static_cast<RecordKind>(record.kind) == RecordKind::orphan) ++orphans;
    if (static_cast<RecordKind>(record.kind) == RecordKind::receipt) ++receipts;
  });
  EXPECT_EQ(orphans, 1u);
  EXPECT_EQ(receipts, 1u);
}

}  // namespace
}  // namespace stentor::daemon
