#include "daemon/recovery/lost_messages.h"

#include <gtest/gtest.h>

#include "tests/daemon/audit/told_life.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::daemon {
namespace {

// Records of which some never come: those that lay in what was set aside.
class Salvaged : public ToldLife {
 public:
  Salvaged()
      : ToldLife([this](RecordKind kind, std::span<const std::uint8_t> payload) {
          const queue::Locator at(1, 64, next_++);
          if (!is_set_aside) {
            lost.visit({.kind = static_cast<std::uint8_t>(kind), .payload = payload, .at = at});
          }
          return at;
        }) {}

  LostMessages lost;
  bool is_set_aside = false;

 private:
  std::uint32_t next_ = 0;
};

TEST(LostMessages, NamesWhoeverALaterRecordSpeaksOf) {
  Salvaged journal;
  journal.tell(RecordKind::totals, Ledger{});
  journal.accept(1);
  journal.is_set_aside = true;
  journal.accept(2);
  journal.accept(3);
  journal.is_set_aside = false;
  journal.accept(4);
  journal.intend({1, 2, 3, 4});
  journal.answer(2, State::sent);
  journal.answer(3, State::sent);
  journal.report(3, State::delivered);
  journal.answer(4, State::sent);

  const auto report = journal.lost.report();
  ASSERT_EQ(report.named.size(), 2u);
  EXPECT_EQ(report.named.at(2).ref, "r-2");
  EXPECT_EQ(report.named.at(2).client, "crm");
  EXPECT_EQ(report.named.at(2).state, State::none);
  EXPECT_EQ(report.named.at(3).state, State::delivered);
  EXPECT_EQ(report.live, 1u);
  EXPECT_EQ(report.unnamed_at_most, 0u);
  EXPECT_EQ(report.unknown_before, 0u);
}

TEST(LostMessages, CountsTheRestByRangesUpToTheNextTotals) {
  Salvaged journal;
  journal.tell(RecordKind::totals, Ledger{.accepted = 9, .sequence_next = 10});
  journal.end(3, State::failed);  // accepted in a file that retention has dropped: not lost
  journal.accept(10);
  journal.is_set_aside = true;
  for (std::uint64_t sequence = 11; sequence <= 20; ++sequence) journal.accept(sequence);
  journal.is_set_aside = false;
  journal.accept(21);
  journal.tell(RecordKind::totals, Ledger{.sequence_next = 25});
  journal.intend({30});

  const auto report = journal.lost.report();
  EXPECT_TRUE(report.named.empty());
  ASSERT_EQ(report.unnamed.size(), 2u);
  EXPECT_EQ(report.unnamed[0].from, 11u);
  EXPECT_EQ(report.unnamed[0].to, 20u);
  EXPECT_EQ(report.unnamed[1].from, 22u);
  EXPECT_EQ(report.unnamed[1].to, 30u);
  EXPECT_EQ(report.unnamed_at_most, 19u);
  EXPECT_EQ(journal.lost.sequence_next(), 31u);  // none of them is given again
}

TEST(LostMessages, NamesWhomACheckpointHasAsLive) {
  Salvaged journal;
  journal.tell(RecordKind::totals, Ledger{});
  journal.accept(1);
  const auto shown = [&](std::uint64_t sequence) {
    const FieldWriter subject = ToldLife::subject_of(sequence, 1);
    Accepted accepted;
    accepted.subject = subject.octets();
    FieldWriter fields;
    encode(accepted, fields);
    journal.lost.visit_checkpoint({.kind = static_cast<std::uint8_t>(RecordKind::accepted),
                                   .payload = fields.octets(),
                                   .at = queue::Locator(1, 64, 0)});
  };
  shown(1);
  shown(2);

  const auto report = journal.lost.report();
  ASSERT_EQ(report.named.size(), 1u);
  EXPECT_EQ(report.named.at(2).ref, "r-2");
}

TEST(LostMessages, SaysWhenTheBeginningIsGoneToo) {
  Salvaged journal;
  journal.accept(7);

  EXPECT_EQ(journal.lost.report().unknown_before, 7u);
  EXPECT_EQ(journal.lost.report().unnamed_at_most, 0u);
}

TEST(LostMessages, AreListedALineEachUnderANameOfTheirOwn) {
  queue::test::SimFileSystem disk{1};
  ASSERT_TRUE(disk.make_directory("/journal"));
  ASSERT_TRUE(disk.make_directory("/journal/quarantine"));
  LostMessages::Report report;
  report.named[2] = {.id = "ID2", .client = "crm", .ref = "o\"2", .state = State::none};
  report.named[3] = {.id = "ID3", .client = "crm", .ref = "", .state = State::delivered};
  report.unnamed = {{.from = 5, .to = 9}};
  report.unnamed_at_most = 5;
  report.live = 1;

  const auto first = write_lost(disk, "/journal", report);
  const auto second = write_lost(disk, "/journal", {});
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(*first, "quarantine/lost-00000001.jsonl");
  EXPECT_EQ(*second, "quarantine/lost-00000002.jsonl");
  const auto octets = disk.content("/journal/quarantine/lost-00000001.jsonl");
  EXPECT_EQ(std::string(octets.begin(), octets.end()),
            R"({"sequence":2,"id":"ID2","client":"crm","ref":"o\"2","state":"lost"}
{"sequence":3,"id":"ID3","client":"crm","state":"delivered"}
{"from_sequence":5,"to_sequence":9}
{"named":2,"live":1,"unnamed_at_most":5,"done":true}
)");
}

}  // namespace
}  // namespace stentor::daemon
