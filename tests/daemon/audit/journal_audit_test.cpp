#include "daemon/audit/journal_audit.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "daemon/records/carried_records.h"
#include "daemon/recovery/carried_files.h"
#include "daemon/recovery/checkpoint_files.h"
#include "queue/excerpt_format.h"
#include "queue/excerpt_writer.h"
#include "queue/first_block.h"
#include "queue/journal_format.h"
#include "queue/journal_recovery.h"
#include "queue/journal_writer.h"
#include "tests/daemon/audit/told_life.h"
#include "tests/queue/random_numbers.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::daemon {
namespace {

const std::filesystem::path journal_folder = "/journal";

// A journal of small files on a simulated disk; each record is a commit of its own.
class Journal {
 public:
  Journal() {
    auto recovered = queue::recover(disk, journal_folder, {}, [](const queue::Record&) {});
    if (!recovered) throw std::runtime_error(recovered.error().detail);
    auto writer = queue::JournalWriter::start(disk,
                                              {.directory = journal_folder,
                                               .file_octets = 1u << 13,
                                               .prepares_in_background = false,
                                               .make_epoch = [this] { return random_.next(); }},
                                              recovered->end, [this] { return preamble(); });
    if (!writer) throw std::runtime_error(writer.error().message());
    writer_ = std::move(*writer);
  }

  queue::Locator tell(RecordKind kind, std::span<const std::uint8_t> payload) {
    queue::RecordBatch batch;
    const std::uint32_t offset = batch.add(static_cast<std::uint8_t>(kind), payload);
    queue::RecordBatch* const batches[] = {&batch};
    if (const auto written = writer_->commit(batches); !written) {
      throw std::runtime_error(written.error().message());
    }
    return batch.at(offset);
  }
  void witness() { ASSERT_TRUE(writer_->commit_watermark()); }
  /// Live messages are carried out of the files before `before`, and those go.
  void carry(std::uint32_t before, const Checkpoint& checkpoint) {
    CarriedFiles::Making making;
    making.checkpoint = checkpoint;
    making.oldest = 1;
    making.before = before;
    making.pace = unpaced;
    making.is_complete = [](std::uint64_t) { return true; };
    ASSERT_TRUE(CarriedFiles(disk, journal_folder).make(making));
    say_carried(before);
    ASSERT_TRUE(writer_->drop_before(before));
  }
  void say_carried(std::uint32_t before) {
    FieldWriter fields;
    encode(CarriedNow{.before = before}, fields);
    (void)tell(static_cast<RecordKind>(kCarriedRecord), fields.octets());
  }
  /// Messages from `first` on, most of them delivered, until the journal has come to `file`.
  std::uint64_t live_until(std::uint32_t file, std::uint64_t first) {
    std::uint64_t sequence = first;
    for (; writer_->durable_end().file() < file; ++sequence) {
      life.accept(sequence);
      ++totals.accepted;
      totals.sequence_next = sequence + 1;
      if (sequence % 10 == 0) continue;
      life.intend({sequence});
      life.answer(sequence, State::sent);
      ++totals.sent;
      life.report(sequence, State::delivered);
      ++totals.delivered;
    }
    return sequence;
  }

  [[nodiscard]] std::expected<JournalAudit, std::string> audit(bool to_watermark = false) {
    return audit_journal(disk, journal_folder, {.findings_max = 100, .to_watermark = to_watermark});
  }

  queue::test::SimFileSystem disk{1};
  Ledger totals;
  ToldLife life{[this](RecordKind kind, std::span<const std::uint8_t> payload) {
    return tell(kind, payload);
  }};

 private:
  queue::JournalWriter::Preamble preamble() {
    queue::JournalWriter::Preamble preamble;
    FieldWriter fields;
    encode(totals, fields);
    preamble.records.add(static_cast<std::uint8_t>(RecordKind::totals), fields.octets());
    return preamble;
  }

  queue::test::RandomNumbers random_{1};
  std::unique_ptr<queue::JournalWriter> writer_;
};

Checkpoint make_checkpoint(queue::FileSystem& files, std::uint32_t before) {
  CheckpointFiles::Making making;
  making.oldest = 1;
  making.before = before;
  making.now_ms = 1'790'000'000'000;
  making.guard_ms = 1000;
  making.pace = unpaced;
  making.is_still_true = [] { return true; };
  auto made = CheckpointFiles(files, journal_folder).make(making);
  if (!made) throw std::runtime_error(made.error().message());
  return *made;
}

TEST(JournalAudit, ReadsFilesAndHoldsCheckpointsAgainstThem) {
  Journal journal;
  const std::uint64_t next = journal.live_until(4, 1);
  make_checkpoint(journal.disk, 3);
  make_checkpoint(journal.disk, 4);

  const auto audit = journal.audit();
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->ledger.all_broken(), 0u) << audit->ledger.findings.front().what;
  EXPECT_TRUE(audit->ledger.holds());
  EXPECT_EQ(audit->ledger.checkpoints, 2u);
  EXPECT_TRUE(audit->notes.empty());
  EXPECT_EQ(audit->first_file, 1u);
  EXPECT_EQ(audit->last_file, 4u);
  EXPECT_EQ(audit->ledger.figures.accepted, next - 1);
  EXPECT_EQ(audit->ledger.live, (next - 1) / 10);
}

// Whatever a salvaged block held: a beginning, an intent, an answer, an end, a file's totals.
TEST(JournalAudit, HoldsWhateverSalvagingHasSetAside) {
  std::vector<queue::Locator> places;
  {
    Journal journal;
    (void)journal.live_until(3, 1);
    ASSERT_TRUE(queue::recover(journal.disk, journal_folder, {.read_only = true},
                               [&](const queue::Record& record) { places.push_back(record.at); }));
  }
  ASSERT_GT(places.size(), 30u);
  for (const queue::Locator place : places) {
    SCOPED_TRACE("file " + std::to_string(place.file()) + ", block " +
                 std::to_string(place.block()));
    Journal journal;
    const std::uint64_t next = journal.live_until(3, 1);
    journal.witness();
    const auto path = journal_folder / queue::file_name(place.file());
    auto octets = journal.disk.content(path);
    octets.at(place.block() + queue::kBlockHeaderOctets) ^= 0x10;
    journal.disk.set_content(path, octets);
    ASSERT_FALSE(journal.audit()) << "it is damage as long as nobody has set it aside";
    ASSERT_TRUE(queue::recover(journal.disk, journal_folder, {.salvage = true},
                               [](const queue::Record&) {}));

    const auto audit = journal.audit();
    ASSERT_TRUE(audit) << audit.error();
    EXPECT_EQ(audit->ledger.all_broken(), 0u) << audit->ledger.findings.front().what;
    EXPECT_TRUE(audit->ledger.holds());
    EXPECT_GE(audit->stretches_set_aside, 1u) << "a file's last block, and that it is missing";
    EXPECT_GE(audit->ledger.figures.accepted + 1, next - 1) << "one message at most is missing";
  }
}

TEST(JournalAudit, HoldsWhenAFileWasSetAsideWhole) {
  Journal journal;
  (void)journal.live_until(4, 1);
  journal.witness();
  const auto path = journal_folder / queue::file_name(2);
  auto octets = journal.disk.content(path);
  octets.at(0) ^= 0x10;
  journal.disk.set_content(path, octets);
  ASSERT_TRUE(
      queue::recover(journal.disk, journal_folder, {.salvage = true}, [](const queue::Record&) {}));

  const auto audit = journal.audit();
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->ledger.all_broken(), 0u) << audit->ledger.findings.front().what;
  EXPECT_TRUE(audit->ledger.holds());
}

// What a stretch cannot have told is found all the same.
TEST(JournalAudit, FindsBehindASalvagedStretchWhatItDoesNotExplain) {
  Journal journal;
  const std::uint64_t next = journal.live_until(3, 1);
  journal.witness();
  const auto path = journal_folder / queue::file_name(1);
  auto octets = journal.disk.content(path);
  octets.at(queue::kFirstBlock + queue::kBlockHeaderOctets) ^= 0x10;
  journal.disk.set_content(path, octets);
  ASSERT_TRUE(
      queue::recover(journal.disk, journal_folder, {.salvage = true}, [](const queue::Record&) {}));
  journal.life.accept(next);
  journal.life.answer(next, State::sent);
  journal.life.report(next, State::delivered);
  journal.life.report(next, State::delivered);
  journal.witness();

  const auto audit = journal.audit();
  ASSERT_TRUE(audit) << audit.error();
  const auto broken = [&](AuditRule rule) {
    return audit->ledger.broken[static_cast<std::size_t>(rule)];
  };
  EXPECT_EQ(broken(AuditRule::sent_without_intent), 1u);
  EXPECT_EQ(broken(AuditRule::final_twice), 1u);
  EXPECT_EQ(audit->ledger.all_broken(), 2u);
}

TEST(JournalAudit, HoldsWhenRetentionHasDroppedFiles) {
  Journal journal;
  (void)journal.live_until(4, 1);
  make_checkpoint(journal.disk, 3);
  for (std::uint64_t sequence = 10; sequence < journal.totals.sequence_next; sequence += 10) {
    journal.life.end(sequence, State::expired);
  }
  for (const std::uint32_t file : {1u, 2u}) {
    ASSERT_TRUE(journal.disk.remove(journal_folder / queue::file_name(file)));
  }
  const auto audit = journal.audit();
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->ledger.all_broken(), 0u) << audit->ledger.findings.front().what;
  EXPECT_TRUE(audit->ledger.holds());
  EXPECT_EQ(audit->first_file, 3u);
  EXPECT_EQ(audit->ledger.checkpoints, 0u);  // it stands for files that are gone
}

TEST(JournalAudit, FindsAFileDroppedWithALiveMessage) {
  Journal journal;
  (void)journal.live_until(3, 1);
  ASSERT_TRUE(journal.disk.remove(journal_folder / queue::file_name(1)));

  const auto audit = journal.audit();
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->ledger.broken[static_cast<std::size_t>(AuditRule::lost)], 1u);
  EXPECT_FALSE(audit->ledger.holds());
}

TEST(JournalAudit, HoldsWhenLiveMessagesWereCarriedOut) {
  Journal journal;
  (void)journal.live_until(6, 1);
  const auto before = journal.audit();
  ASSERT_TRUE(before) << before.error();
  journal.carry(4, make_checkpoint(journal.disk, 6));

  const auto audit = journal.audit();
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->ledger.all_broken(), 0u) << audit->ledger.findings.front().what;
  EXPECT_TRUE(audit->ledger.holds());
  EXPECT_EQ(audit->first_file, 4u);
  EXPECT_EQ(audit->carried_before, 4u);
  EXPECT_GT(audit->carried_messages, 0u);
  EXPECT_EQ(audit->ledger.live, before->ledger.live);
  EXPECT_EQ(audit->ledger.checkpoints, 1u);

  journal.life.end(10, State::expired);  // the first of them
  const auto later = journal.audit();
  ASSERT_TRUE(later) << later.error();
  EXPECT_EQ(later->ledger.all_broken(), 0u) << later->ledger.findings.front().what;
  EXPECT_EQ(later->ledger.live, before->ledger.live - 1);
}

TEST(JournalAudit, HasNoVerdictWithoutACarriedExcerptThatIsNeeded) {
  Journal journal;
  (void)journal.live_until(6, 1);
  journal.carry(4, make_checkpoint(journal.disk, 6));
  const auto path = journal_folder / queue::excerpt_name("carried", 4);
  auto spoilt = journal.disk.content(path);
  spoilt[spoilt.size() / 2] ^= 1;
  journal.disk.set_content(path, spoilt);
  EXPECT_TRUE(journal.audit().error().starts_with("carried-00000004.stx: "));
  ASSERT_TRUE(journal.disk.remove(path));
  EXPECT_EQ(journal.audit().error(), "carried-00000004.stx: the file is missing");

  journal.say_carried(0);
  const auto audit = journal.audit();  // not needed any more, and yet its messages never ended
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->ledger.broken[static_cast<std::size_t>(AuditRule::lost)], 1u);
}

// A commit may be under way: what is not known to be durable says nothing yet.
TEST(JournalAudit, ReadsUpToTheWatermarkBesideADaemon) {
  Journal journal;
  journal.life.accept(1);
  journal.life.accept(2);

  auto audit = journal.audit(true);
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->ledger.figures.accepted, 1u);
  audit = journal.audit(false);
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->ledger.figures.accepted, 2u);

  journal.witness();
  audit = journal.audit(true);
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->ledger.figures.accepted, 2u);
}

TEST(JournalAudit, LeavesTheDirectoryAsItIs) {
  Journal journal;
  (void)journal.live_until(3, 1);
  const std::uint64_t before = journal.disk.operations();

  ASSERT_TRUE(journal.audit());
  ASSERT_TRUE(journal.audit(true));
  EXPECT_EQ(journal.disk.operations(), before);
}

TEST(JournalAudit, FindsAMessageThatACheckpointLacks) {
  Journal journal;
  (void)journal.live_until(3, 1);
  const auto first = queue::read_first_block(journal.disk, journal_folder, 3);
  ASSERT_TRUE(first);
  auto writer = queue::ExcerptWriter::start(journal.disk, journal_folder,
                                            queue::excerpt_name("checkpoint", 3),
                                            {.before = 3, .chain_check = first->previous_check});
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->finish());

  const auto audit = journal.audit();
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->ledger.broken[static_cast<std::size_t>(AuditRule::checkpoint_lacks)],
            audit->ledger.all_broken());
  EXPECT_GT(audit->ledger.all_broken(), 0u);
}

TEST(JournalAudit, NotesACheckpointThatAStartPassesOver) {
  Journal journal;
  (void)journal.live_until(3, 1);
  make_checkpoint(journal.disk, 3);
  const auto path = journal_folder / queue::excerpt_name("checkpoint", 3);
  auto octets = journal.disk.content(path);
  octets[100] ^= 1;
  journal.disk.set_content(path, octets);

  const auto audit = journal.audit();
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_EQ(audit->notes, std::vector<std::string>{
                              "checkpoint-00000003.stx: damaged under the durable watermark"});
  EXPECT_EQ(audit->ledger.all_broken(), 0u);
}

TEST(JournalAudit, RefusesDamageAndANewerFormatByName) {
  {
    Journal journal;
    (void)journal.live_until(3, 1);
    auto octets = journal.disk.content(journal_folder / queue::file_name(2));
    octets[200] ^= 1;
    journal.disk.set_content(journal_folder / queue::file_name(2), octets);
    const auto audit = journal.audit();
    ASSERT_FALSE(audit);
    EXPECT_TRUE(audit.error().starts_with("journal-00000002.stj: offset ")) << audit.error();
  }
  Journal journal;
  queue::FileHeader header{.version = 2, .number = 1, .epoch = 1};
  auto octets = journal.disk.content(journal_folder / queue::file_name(1));
  const auto head = queue::encode(header);
  std::copy(head.begin(), head.end(), octets.begin());
  journal.disk.set_content(journal_folder / queue::file_name(1), octets);
  const auto audit = journal.audit();
  ASSERT_FALSE(audit);
  EXPECT_EQ(audit.error(), "journal-00000001.stj: format 2, while this program knows up to 1");
}

TEST(JournalAudit, OfAnEmptyJournalHolds) {
  queue::test::SimFileSystem disk{1};
  ASSERT_TRUE(disk.make_directory(journal_folder));
  const auto audit = audit_journal(disk, journal_folder, {});
  ASSERT_TRUE(audit) << audit.error();
  EXPECT_TRUE(audit->ledger.holds());
  EXPECT_EQ(audit->first_file, 0u);
}

TEST(JournalAudit, AsksTheKernelWhetherTheDirectoryIsInUse) {
  const std::string folder = testing::TempDir() + "stentor-in-use-" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  const auto files = queue::make_posix_file_system(queue::IoBackend::threads);
  ASSERT_TRUE(files);
  EXPECT_FALSE(is_journal_in_use(folder));
  {
    const auto lock = (*files)->lock(folder);
    ASSERT_TRUE(lock);
    EXPECT_TRUE(is_journal_in_use(folder));
  }
  EXPECT_FALSE(is_journal_in_use(folder));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace stentor::daemon
