// Which orphans a checkpoint carries: no more than a start would keep.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "daemon/recovery/condenser.h"
#include "daemon/tracking/early_receipts.h"
#include "protocol/receipt.h"
#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using test::kNowMs;
constexpr std::uint64_t kThreeDays = 3 * 86'400'000ull;

/// A stretch of the journal, and what a checkpoint makes of it.
class KeptOrphansTest : public testing::Test {
 protected:
  void orphan(std::string_view id, std::string_view stat = "", std::uint64_t time_ms = kNowMs,
              protocol::MessageState state = protocol::MessageState::delivered) {
    Orphan orphan;
    orphan.carrier = carrier_;
    orphan.time_ms = time_ms;
    orphan.message_id = id;
    orphan.stat = stat;
    orphan.message_state = static_cast<std::uint8_t>(state);
    add(RecordKind::orphan, orphan);
  }
  void receipt(std::string_view id, bool is_final = true) {
    Subject subject;
    subject.id = MessageId::make(kNowMs, 1, 0, 1);
    subject.carrier = carrier_;
    FieldWriter octets;
    encode(subject, octets);
    ReceiptCame came;
    came.of.subject = octets.octets();
    came.of.time_ms = kNowMs;
    came.message_id = id;
    came.is_final_for_part = is_final;
    add(RecordKind::receipt, came);
  }
  template <class Body>
  void add(RecordKind kind, const Body& body) {
    FieldWriter fields;
    encode(body, fields);
    const auto octets = fields.octets();
    stretch_.push_back({static_cast<std::uint8_t>(kind), place(),
                        std::vector<std::uint8_t>(octets.begin(), octets.end())});
  }
  /// The ids (or what stands for them) of the orphans that are carried, out of the checkpoint
  /// before and the stretch; this is the next one's checkpoint before.
  std::vector<std::string> checkpoint(std::uint64_t now_ms = kNowMs) {
    Condenser condenser(now_ms, 0, 1);
    for (const Kept& one : previous_) condenser.survey_previous(one.record());
    for (const Kept& one : stretch_) condenser.survey(one.record());
    std::vector<Kept> carried;
    std::vector<std::string> named;
    const auto sink = [&](const queue::Record& record) -> queue::result<void> {
      carried.push_back({record.kind, record.at, {record.payload.begin(), record.payload.end()}});
      if (const auto kept = record.kind == static_cast<std::uint8_t>(RecordKind::orphan)
                                ? decode_orphan(record.payload)
                                : std::nullopt) {
        named.emplace_back(kept->message_id.empty() ? kept->stat : kept->message_id);
      }
      return {};
    };
    for (const std::vector<Kept>* from : {&previous_, &stretch_}) {
      for (const Kept& one : *from) EXPECT_TRUE(condenser.carry(one.record(), sink));
    }
    previous_ = std::move(carried);
    stretch_.clear();
    return named;
  }

  std::string carrier_ = "north";

 private:
  struct Kept {
    std::uint8_t kind = 0;
    queue::Locator at;
    std::vector<std::uint8_t> payload;
    [[nodiscard]] queue::Record record() const {
      return {.kind = kind, .payload = payload, .at = at};
    }
  };
  queue::Locator place() {
    ++records_;
    return {1, records_ / 1000 * 64, records_ % 1000};
  }
  std::uint32_t records_ = 0;
  std::vector<Kept> previous_;
  std::vector<Kept> stretch_;
};

using Ids = std::vector<std::string>;

TEST_F(KeptOrphansTest, AreTheNewestOfEachCarrierOverTheCheckpointBeforeAndTheStretch) {
  orphan("first");
  orphan("second");
  EXPECT_EQ(checkpoint(), (Ids{"first", "second"}));
  carrier_ = "south";
  orphan("of another");
  carrier_ = "north";
  for (std::size_t i = 1; i < EarlyReceipts::kEntriesMax; ++i) orphan("x" + std::to_string(i));

  Ids kept = checkpoint();
  ASSERT_EQ(kept.size(), EarlyReceipts::kEntriesMax + 1);
  EXPECT_EQ(kept[0], "second");
  EXPECT_EQ(kept[1], "of another");
  EXPECT_EQ(checkpoint(), kept) << "and again, as nothing came";

  orphan("one more");
  kept = checkpoint();
  ASSERT_EQ(kept.size(), EarlyReceipts::kEntriesMax + 1);
  EXPECT_EQ(kept[0], "of another");
  EXPECT_EQ(kept[1], "x1");
}

TEST_F(KeptOrphansTest, ThoseThatNameNoIdPushOutNoOthers) {
  orphan("named");
  for (std::size_t i = 0; i < EarlyReceipts::kUnnamedMax + 1; ++i) orphan("", std::to_string(i));
  const Ids kept = checkpoint();
  ASSERT_EQ(kept.size(), EarlyReceipts::kUnnamedMax + 1);
  EXPECT_EQ(kept[0], "named");
  EXPECT_EQ(kept[1], "1");
}

TEST_F(KeptOrphansTest, AreBoundedByTheirOctets) {
  constexpr std::size_t kIdOctets = 60'000;
  const std::size_t fit = EarlyReceipts::kOctetsMax / kIdOctets;
  for (std::size_t i = 0; i < fit + 20; ++i) {
    orphan(std::to_string(i) + "-" + std::string(kIdOctets, 'x'));
  }
  const Ids kept = checkpoint();
  EXPECT_LE(kept.size(), fit);
  EXPECT_GE(kept.size(), fit - 1);
  EXPECT_TRUE(kept.back().starts_with(std::to_string(fit + 19) + "-"));
}

// Many carriers report before they answer: what has been told needs no place.
TEST_F(KeptOrphansTest, ThoseThatAReceiptOfTheirIdFollowedAreToldAndPushOutNoOthers) {
  orphan("waits");
  orphan("8F00");
  orphan("8f00", "", kNowMs, protocol::MessageState::enroute);
  EXPECT_EQ(checkpoint(), (Ids{"waits", "8F00", "8f00"}));
  receipt("8f00");
  for (std::size_t i = 0; i < EarlyReceipts::kEntriesMax; ++i) {
    orphan("x" + std::to_string(i));
    receipt("x" + std::to_string(i));
  }
  orphan("8f00");
  EXPECT_EQ(checkpoint(), (Ids{"waits", "8f00"})) << "what came behind it is kept";
}

TEST_F(KeptOrphansTest, AReceiptThatIsNotFinalTakesNoFinalOneWithIt) {
  orphan("8f00");
  orphan("8f00", "", kNowMs, protocol::MessageState::enroute);
  receipt("8f00", false);
  EXPECT_EQ(checkpoint(), (Ids{"8f00"}));
}

TEST_F(KeptOrphansTest, AnotherCarriersReceiptTakesNone) {
  orphan("8f00");
  carrier_ = "south";
  orphan("8f01");
  receipt("8f00");
  EXPECT_EQ(checkpoint(), (Ids{"8f00", "8f01"}));
}

TEST_F(KeptOrphansTest, AreThreeDaysOldAtMostAndTheOlderPushOutNoOthers) {
  orphan("old", "", kNowMs);
  orphan("new", "", kNowMs + 1);
  EXPECT_EQ(checkpoint(kNowMs + kThreeDays), (Ids{"old", "new"}));
  EXPECT_EQ(checkpoint(kNowMs + kThreeDays + 1), (Ids{"new"}));
}

}  // namespace
}  // namespace stentor::daemon
