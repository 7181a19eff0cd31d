// What is noted of the records that end messages.
#include "daemon/delivery/outcomes.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "daemon/tracking/journal_records.h"
#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

TEST(Outcomes, SayWhereTheyToldThatAMessageMayBeCorrectedAndWhatItIsIsReadThere) {
  JournalOnDisk disk;
  CommitFeed feed(disk.commit(), false, 0, [] {});
  disk.start();
  Outcomes outcomes(feed);
  Subject subject;
  subject.id = MessageId::make(1'790'000'000'000, 1, 0, 1);
  subject.client = "crm";
  FieldWriter octets;
  encode(subject, octets);
  const auto about = [&](std::uint32_t message, State state) {
    Following of;
    of.accepted = queue::Locator(1, 64, message);
    of.subject = octets.octets();
    of.state = state;
    of.flow = 7;
    return of;
  };
  feed.open().accepted = 3;  // and the three end
  outcomes.write(Verdict{.of = about(1, State::expired), .code = {}, .detail = {}});
  outcomes.write(Verdict{.of = about(2, State::unknown), .code = {}, .detail = {}});
  ReceiptCame receipt;
  receipt.of = about(3, State::failed);
  receipt.of.has_unknown_part = true;
  outcomes.write(receipt);

  std::vector<std::pair<std::uint32_t, ToldPlace>> told;
  const auto note = [&](queue::Locator message, const ToldPlace& place) {
    told.emplace_back(message.record(), place);
  };
  JournalOnDisk::settle(feed, [&](const BatchPointer& batch) { outcomes.take_told(*batch, note); });
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].first, 2u);
  EXPECT_EQ(told[1].first, 3u);

  queue::JournalReader reader(disk.files(), disk.journal(), {});
  JournalRecords records(reader);
  for (const auto& [message, place] : told) {
    EXPECT_EQ(place.flow, 7u);
    const auto read = records.read_subject(place.at);
    ASSERT_TRUE(read) << message;
    EXPECT_EQ(decode_subject(*read)->client, "crm");
  }
}

}  // namespace
}  // namespace stentor::daemon
