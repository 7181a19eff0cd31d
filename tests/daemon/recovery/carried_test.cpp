// Live messages carried out of old journal files: what a start learns without those files is what
// it learnt with them, nothing live is lost and nothing settled comes back, on random histories and
// after thousands of crashes of a simulated disk at every step of carrying.
//
// STENTOR_CRASH_SEED=n repeats one run; STENTOR_CRASH_TIMES=n makes n times as many.
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>

#include "daemon/history/history_index.h"
#include "daemon/recovery/carriage.h"
#include "daemon/recovery/carried_files.h"
#include "daemon/recovery/journal_start.h"
#include "queue/carried_excerpt.h"
#include "queue/journal_format.h"
#include "queue/journal_reader.h"
#include "tests/daemon/recovery/journal_history.h"
#include "tests/daemon/recovery/recovered_carrier.h"
#include "tests/daemon/test_times.h"
#include "tests/queue/crash_runs.h"

namespace stentor::daemon {
namespace {

using test::kNowMs;

std::filesystem::path carried_path(std::uint32_t before) {
  return kJournalFolder / queue::excerpt_name(queue::kCarriedPurpose, before);
}

std::uint32_t oldest_file(queue::FileSystem& files) {
  std::uint32_t oldest = 0;
  const auto names = files.list(kJournalFolder);
  if (!names) return 0;
  for (const std::string& name : *names) {
    const auto number = queue::file_number(name);
    if (number && (oldest == 0 || *number < oldest)) oldest = *number;
  }
  return oldest;
}

/// What lies on the disk, read by other means than a start's: the messages that live.
struct OnDisk {
  std::map<std::uint64_t, JournalHistory::Known> live;
};
OnDisk look(queue::FileSystem& files) {
  OnDisk found;
  const auto note = [&found](const queue::Record& record) {
    const Carriage carriage = carriage_of(record.kind);
    if (carriage != Carriage::message && carriage != Carriage::follows) return;
    const auto about = about_message(record, carriage);
    ASSERT_TRUE(about);
    if (about->is_final || about->is_unknown) found.live.erase(about->sequence);
    if (carriage != Carriage::message) return;
    const auto accepted = decode_accepted(record.payload);
    found.live[about->sequence] = {.at = record.at,
                                   .subject = {accepted->subject.begin(), accepted->subject.end()},
                                   .parts = decode_subject(accepted->subject)->parts};
  };
  const std::uint32_t oldest = oldest_file(files);
  const auto carried = queue::list_carried(files, kJournalFolder);
  if (carried && !carried->empty() && carried->front() >= oldest) {
    EXPECT_TRUE(
        CarriedFiles(files, kJournalFolder).for_each(carried->front(), [&](const auto& record) {
          if (record.at.file() < oldest) note(record);
          return queue::result<void>{};
        }));
  }
  const auto read = queue::recover(files, kJournalFolder, {.read_only = true}, note);
  EXPECT_TRUE(read) << read.error().detail;
  return found;
}

/// One start of a daemon, and what it knows then.
class CarriedStart {
 public:
  explicit CarriedStart(queue::FileSystem& files) : files_(files) {}

  std::expected<JournalStart, std::string> run(bool uses_checkpoint, bool salvage = false) {
    Replay replay = known_.replay(kNowMs);
    auto started =
        start_from_journal(files_, kJournalFolder,
                           {.salvage = salvage, .uses_checkpoint = uses_checkpoint}, replay, &lost);
    if (!started) return started;
    ledger = replay.ledger();
    live = started->carried.live;
    for (const auto& [number, use] : replay.files()) live += use.live;
    const auto& report = replay.report();
    const auto snapshot = known_.carrier.snapshot();
    seen = "waiting " + std::to_string(report.waiting) + " doubt " +
           std::to_string(report.in_doubt) + " awaiting " +
           std::to_string(report.awaiting_receipt) + " lanes " +
           std::to_string(snapshot.waiting_urgent) + " " + std::to_string(snapshot.waiting_normal) +
           " " + std::to_string(snapshot.waiting_bulk) + " timers " +
           std::to_string(snapshot.waiting_timers) + " outstanding " +
           std::to_string(snapshot.outstanding) + " live " + std::to_string(live) + " accepted " +
           std::to_string(ledger.accepted) + " final " + std::to_string(ledger.finals());
    return started;
  }

  LostMessages lost;
  Ledger ledger;
  std::uint64_t live = 0;
  std::string seen;

 private:
  queue::FileSystem& files_;
  CommitThread commit_{CommitThread::Options{}};
  RecoveredCarrier known_{files_, kJournalFolder, commit_, {.tickets_in_memory = 1'000'000}};
};

/// Does what the checkpointer, the commit thread and the writer do, one after the other, until one
/// of them fails.
class Carrying {
 public:
  Carrying(queue::test::SimFileSystem& files, JournalHistory& history)
      : files_(files), history_(history) {}

  void go_on_from(const JournalStart& started) {
    carried_before_ = started.carried.before;
    newest_ = CheckpointFiles(files_, kJournalFolder).find_newest();
  }
  bool checkpoint(std::uint32_t before) {
    CheckpointFiles::Making making;
    making.previous = newest_;
    making.oldest = oldest_file(files_);
    if (newest_ && newest_->before < making.oldest) making.previous.reset();
    making.before = before;
    making.now_ms = kNowMs;
    making.guard_ms = 86'400'000;
    making.carried_before = carried_before_;
    making.pace = unpaced;
    making.is_still_true = [] { return true; };
    const auto made = CheckpointFiles(files_, kJournalFolder).make(making);
    if (made) newest_ = *made;
    return made.has_value();
  }
  /// The excerpt has its name, and the journal does not know.
  std::optional<CarriedFile> make(std::uint32_t before) {
    CarriedFiles::Making making;
    making.checkpoint = *newest_;
    making.carried_before = carried_before_;
    making.oldest = oldest_file(files_);
    making.before = before;
    making.pace = unpaced;
    making.is_complete = [](std::uint64_t) { return true; };
    const auto made = CarriedFiles(files_, kJournalFolder).make(making);
    return made ? std::optional(*made) : std::nullopt;
  }
  bool carry(std::uint32_t before) {
    const auto made = make(before);
    if (!made || !history_.tell_carried({.before = before, .octets = made->octets})) return false;
    carried_before_ = before;
    if (!history_.writer().drop_before(before)) return false;
    return CarriedFiles(files_, kJournalFolder).remove_all_but(before).has_value();
  }
  [[nodiscard]] std::uint32_t checkpoint_before() const { return newest_ ? newest_->before : 0; }
  [[nodiscard]] std::uint32_t carried_before() const { return carried_before_; }

 private:
  queue::test::SimFileSystem& files_;
  JournalHistory& history_;
  std::optional<Checkpoint> newest_;
  std::uint32_t carried_before_ = 0;
};

class CarriedTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.make_directory(kJournalFolder));
    ASSERT_TRUE(history_.start({}));
  }
  void grow(std::uint32_t file) {
    while (history_.writer().durable_end().file() < file) ASSERT_TRUE(history_.commit());
  }
  [[nodiscard]] std::set<std::uint64_t> truth() const {
    std::set<std::uint64_t> live;
    for (const auto& [sequence, sent] : history_.certain().live) live.insert(sequence);
    return live;
  }
  [[nodiscard]] std::set<std::uint64_t> on_disk() {
    std::set<std::uint64_t> live;
    for (const auto& [sequence, known] : look(files_).live) live.insert(sequence);
    return live;
  }
  std::string refusal(bool uses_checkpoint) {
    CarriedStart start(files_);
    const auto started = start.run(uses_checkpoint);
    return started ? "started" : started.error();
  }

  queue::test::SimFileSystem files_{1};
  JournalHistory history_{files_, kJournalFolder, 1};
  Carrying carrying_{files_, history_};
};

TEST_F(CarriedTest, KeepsEveryRecordOfALiveMessageUnderItsPlace) {
  grow(9);
  std::map<std::uint64_t, std::vector<std::uint8_t>> before;
  {
    queue::JournalReader reader(files_, kJournalFolder, {});
    for (const auto& [sequence, known] : look(files_).live) {
      const auto record = reader.read(known.at);
      ASSERT_TRUE(record);
      before[known.at.bits()] = {record->payload.begin(), record->payload.end()};
    }
  }
  ASSERT_TRUE(carrying_.checkpoint(8));
  ASSERT_TRUE(carrying_.carry(7));
  EXPECT_EQ(oldest_file(files_), 7u);

  queue::JournalReader reader(files_, kJournalFolder, {});
  std::uint64_t of_gone_files = 0;
  for (const auto& [at, payload] : before) {
    const auto record = reader.read(queue::Locator(at));
    ASSERT_TRUE(record) << at;
    EXPECT_TRUE(std::ranges::equal(record->payload, payload));
    of_gone_files += queue::Locator(at).file() < 7;
  }
  EXPECT_GT(of_gone_files, 5u);
  EXPECT_EQ(reader.stats().carried, of_gone_files);
  EXPECT_FALSE(reader.read(queue::Locator(1, queue::kFirstBlock, 0)));  // the totals, long gone
  EXPECT_EQ(on_disk(), truth());
}

TEST_F(CarriedTest, IsFoundByHistoriesAsItsFilesWere) {
  HistoryIndex index(files_, kJournalFolder, "/history");
  const auto follow = [this](HistoryIndex& following) {
    while (!following.catch_up(history_.writer().durable_end(), 1000)) {
    }
  };
  grow(9);
  follow(index);
  std::map<std::uint64_t, std::vector<queue::Locator>> places;
  for (const std::uint64_t sequence : truth()) places[sequence] = index.find_sequence(sequence);
  ASSERT_TRUE(carrying_.checkpoint(8));
  ASSERT_TRUE(carrying_.make(7));
  ASSERT_TRUE(index.take_carried(7));  // its files are still there: nothing is told twice
  for (const auto& [sequence, known] : places) EXPECT_EQ(index.find_sequence(sequence), known);

  ASSERT_TRUE(carrying_.carry(7));
  index.forget_before(7);
  HistoryIndex started_anew(files_, kJournalFolder, "/history");
  ASSERT_TRUE(started_anew.take_carried(7));
  follow(started_anew);
  for (HistoryIndex* looked_in : {&index, &started_anew}) {
    for (const auto& [sequence, known] : places) {
      ASSERT_EQ(looked_in->find_sequence(sequence), known) << sequence;
      for (const queue::Locator at : known) EXPECT_TRUE(looked_in->reader().read(at));
    }
  }
}

TEST_F(CarriedTest, StartsAsWithTheFilesThatWent) {
  grow(9);
  ASSERT_TRUE(carrying_.checkpoint(8));
  CarriedStart with_files(files_);
  ASSERT_TRUE(with_files.run(false));
  ASSERT_TRUE(carrying_.carry(7));
  for (const bool uses_checkpoint : {false, true}) {
    CarriedStart without(files_);
    const auto started = without.run(uses_checkpoint);
    ASSERT_TRUE(started) << started.error();
    EXPECT_EQ(without.seen, with_files.seen) << uses_checkpoint;
    EXPECT_EQ(started->carried.before, 7u);
    EXPECT_GT(started->carried.live, 0u);
  }
}

TEST_F(CarriedTest, IsMergedIntoTheNextWithoutWhatHasEnded) {
  grow(5);
  ASSERT_TRUE(carrying_.checkpoint(5));
  ASSERT_TRUE(carrying_.carry(4));
  grow(12);
  ASSERT_TRUE(carrying_.checkpoint(12));
  ASSERT_TRUE(carrying_.carry(11));

  EXPECT_FALSE(files_.exists(carried_path(4)));
  EXPECT_EQ(on_disk(), truth());
  std::set<std::uint64_t> carried;
  ASSERT_TRUE(CarriedFiles(files_, kJournalFolder).for_each(11, [&](const queue::Record& record) {
    if (static_cast<RecordKind>(record.kind) == RecordKind::accepted) {
      EXPECT_LT(record.at.file(), 11u);
      carried.insert(about_message(record, Carriage::message)->sequence);
    }
    return queue::result<void>{};
  }));
  std::set<std::uint64_t> ended_since;  // behind the checkpoint
  ASSERT_TRUE(queue::recover(files_, kJournalFolder, {.read_only = true, .first_file = 12},
                             [&](const queue::Record& record) {
                               const auto about = about_message(record, Carriage::follows);
                               if (carriage_of(record.kind) == Carriage::follows && about &&
                                   about->is_final) {
                                 ended_since.insert(about->sequence);
                               }
                             }));
  for (const std::uint64_t sequence : carried) {
    EXPECT_TRUE(truth().contains(sequence) || ended_since.contains(sequence)) << sequence;
  }
  CarriedStart start(files_);
  ASSERT_TRUE(start.run(false));
  EXPECT_EQ(start.live, truth().size());
}

TEST_F(CarriedTest, GivesTheNextCheckpointWhatItStandsFor) {
  grow(5);
  ASSERT_TRUE(carrying_.checkpoint(5));
  ASSERT_TRUE(carrying_.carry(4));
  grow(8);
  ASSERT_TRUE(files_.remove(kJournalFolder / queue::excerpt_name("checkpoint", 5)));
  Carrying anew(files_, history_);
  JournalStart known;
  known.carried.before = 4;
  anew.go_on_from(known);
  ASSERT_TRUE(anew.checkpoint(8));
  CarriedStart from_checkpoint(files_);
  ASSERT_TRUE(from_checkpoint.run(true));
  CarriedStart whole(files_);
  ASSERT_TRUE(whole.run(false));
  EXPECT_EQ(from_checkpoint.seen, whole.seen);
  EXPECT_EQ(whole.live, truth().size());
}

TEST_F(CarriedTest, IsNotMadeWhereMoreLivesThanWasFound) {
  grow(6);
  ASSERT_TRUE(carrying_.checkpoint(6));
  CarriedFiles::Making making;
  making.checkpoint = *CheckpointFiles(files_, kJournalFolder).find_newest();
  making.oldest = 1;
  making.before = 5;
  making.pace = unpaced;
  making.is_complete = [](std::uint64_t) { return false; };
  EXPECT_FALSE(CarriedFiles(files_, kJournalFolder).make(making));
  EXPECT_TRUE(queue::list_carried(files_, kJournalFolder)->empty());
  EXPECT_FALSE(files_.exists(carried_path(5).string() + ".making"));
}

// The files go once it is made: it must not be made from less than they held.
TEST_F(CarriedTest, IsNotMadeWhereABlockAtTheEndOfAFileIsLost) {
  grow(6);
  ASSERT_TRUE(carrying_.checkpoint(6));
  const auto path = std::filesystem::path(kJournalFolder) / queue::file_name(2);
  const auto good = files_.content(path);
  auto spoilt = good;
  const auto end = std::ranges::find_if(spoilt.rbegin(), spoilt.rend(),
                                        [](std::uint8_t octet) { return octet != 0; });
  ASSERT_NE(end, spoilt.rend());
  *end ^= 1;  // of the last block, which nothing in the file lies behind
  files_.set_content(path, spoilt);
  EXPECT_FALSE(carrying_.make(3));
  EXPECT_FALSE(carrying_.make(5));
  files_.set_content(path, good);
  EXPECT_TRUE(carrying_.make(5));
}

TEST_F(CarriedTest, IsGivenUpOnAFullDiskAndMadeWhenThereIsRoom) {
  constexpr std::uint64_t kDisk = 64u << 20;
  grow(9);
  ASSERT_TRUE(carrying_.checkpoint(8));
  files_.set_capacity(kDisk);
  const std::uint64_t used = kDisk - files_.free_octets(kJournalFolder).value();
  std::uint64_t refused = 0;
  for (std::uint64_t room = 0;; room += 512) {
    files_.set_capacity(used + room);
    if (carrying_.make(7)) break;
    ++refused;
    EXPECT_FALSE(files_.exists(carried_path(7))) << "with room for " << room;
    EXPECT_EQ(files_.free_octets(kJournalFolder), room) << "what was begun has left nothing";
    EXPECT_EQ(oldest_file(files_), 1u);
  }
  EXPECT_GT(refused, 2u) << "at its beginning, in its midst, at its end";

  files_.set_capacity(kDisk);
  ASSERT_TRUE(carrying_.carry(7));
  EXPECT_EQ(on_disk(), truth());
}

TEST_F(CarriedTest, IsRefusedByNameWhenAnyOctetOfItIsSpoilt) {
  grow(6);
  ASSERT_TRUE(carrying_.checkpoint(6));
  ASSERT_TRUE(carrying_.carry(5));
  history_.stop();
  const auto good = files_.content(carried_path(5));
  for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 61) {
    auto spoilt = good;
    spoilt[at] ^= 0x40;
    files_.set_content(carried_path(5), spoilt);
    for (const bool uses_checkpoint : {false, true}) {
      EXPECT_TRUE(refusal(uses_checkpoint).starts_with("carried-00000005.stx: ")) << "octet " << at;
    }
  }
  files_.set_content(carried_path(5), {good.begin(), good.end() - 1});
  EXPECT_TRUE(refusal(true).starts_with("carried-00000005.stx: "));
  files_.set_content(carried_path(5), good);
  EXPECT_EQ(refusal(true), "started");
}

TEST_F(CarriedTest, IsMissedByNameWhenItIsGone) {
  grow(6);
  ASSERT_TRUE(carrying_.checkpoint(6));
  ASSERT_TRUE(carrying_.carry(5));
  history_.stop();
  ASSERT_TRUE(files_.remove(carried_path(5)));
  for (const bool uses_checkpoint : {false, true}) {
    EXPECT_TRUE(refusal(uses_checkpoint).starts_with("carried-00000005.stx: the file is missing"));
  }
}

TEST_F(CarriedTest, MissesTheJournalFileThatItLeadsUpTo) {
  grow(8);
  ASSERT_TRUE(carrying_.checkpoint(6));
  ASSERT_TRUE(carrying_.carry(5));
  history_.stop();
  ASSERT_TRUE(files_.remove(kJournalFolder / queue::file_name(5)));
  ASSERT_TRUE(files_.remove(kJournalFolder / queue::file_name(6)));
  ASSERT_TRUE(files_.remove(kJournalFolder / queue::file_name(7)));
  EXPECT_TRUE(refusal(false).starts_with("journal-00000005.stj: the file is missing"));
  CarriedStart start(files_);
  const auto salvaged = start.run(false, true);  // what was carried is not lost with them
  ASSERT_TRUE(salvaged) << salvaged.error();
  EXPECT_GT(salvaged->carried.live, 0u);
}

TEST_F(CarriedTest, SalvagingKeepsTheGoodBlocksAndNamesWhatTheBadOneHeld) {
  // Some four blocks: each of them ends behind 64 KiB.
  while (history_.certain().live.size() < 1500) ASSERT_TRUE(history_.commit());
  const std::uint32_t last = history_.writer().durable_end().file();
  ASSERT_TRUE(carrying_.checkpoint(last));
  ASSERT_TRUE(carrying_.carry(last));
  history_.stop();
  const std::set<std::uint64_t> live = truth();
  auto spoilt = files_.content(carried_path(last));
  ASSERT_GT(spoilt.size(), 200'000u);
  spoilt[90'000] ^= 0x40;  // in the second block
  files_.set_content(carried_path(last), spoilt);
  ASSERT_TRUE(refusal(true).starts_with(queue::excerpt_name("carried", last)));

  CarriedStart start(files_);
  const auto salvaged = start.run(false, true);
  ASSERT_TRUE(salvaged) << salvaged.error();
  ASSERT_EQ(salvaged->set_aside.size(), 1u);
  EXPECT_TRUE(salvaged->set_aside[0].starts_with(queue::excerpt_name("carried", last)));
  EXPECT_GT(start.live, live.size() / 2);
  EXPECT_LT(start.live, live.size());
  CheckpointFiles checkpoints(files_, kJournalFolder);
  ASSERT_TRUE(checkpoints.for_each(*checkpoints.find_newest(), [&](const queue::Record& record) {
    start.lost.visit_checkpoint(record);
    return queue::result<void>{};
  }));
  const auto report = start.lost.report();
  EXPECT_EQ(report.live, live.size() - start.live);
  EXPECT_EQ(report.unnamed_at_most, 0u);
  const std::set<std::uint64_t> left = on_disk();
  for (const auto& [sequence, named] : report.named) {
    // One that ended behind the checkpoint is named with its end.
    EXPECT_EQ(live.contains(sequence), named.state == State::none) << sequence;
    EXPECT_FALSE(left.contains(sequence)) << sequence;
  }
  files_.restart();  // lets go of the lock
  CarriedStart again(files_);
  const auto started = again.run(false);
  ASSERT_TRUE(started) << started.error();
  EXPECT_EQ(again.live, start.live);
}

TEST_F(CarriedTest, SalvagingGoesOnWithoutOneThatIsGone) {
  grow(6);
  ASSERT_TRUE(carrying_.checkpoint(6));
  ASSERT_TRUE(carrying_.carry(5));
  history_.stop();
  ASSERT_TRUE(files_.remove(carried_path(5)));
  CarriedStart start(files_);
  const auto salvaged = start.run(false, true);
  ASSERT_TRUE(salvaged) << salvaged.error();
  ASSERT_EQ(salvaged->set_aside.size(), 1u);
  EXPECT_TRUE(salvaged->set_aside[0].starts_with("carried-00000005.stx: the file is missing"));
  files_.restart();  // lets go of the lock
  EXPECT_EQ(refusal(false), "started");
}

TEST_F(CarriedTest, IsPassedOverWhenItIsLeftOverFromBefore) {
  grow(6);
  ASSERT_TRUE(carrying_.checkpoint(6));
  ASSERT_TRUE(carrying_.make(3));
  // As if all of its messages had ended and files had gone since.
  ASSERT_TRUE(history_.writer().drop_before(4));
  history_.stop();
  CarriedStart start(files_);
  const auto started = start.run(false);
  ASSERT_TRUE(started) << started.error();
  EXPECT_EQ(started->carried.before, 0u);
}

// One disk and several lives: each writes, makes checkpoints, carries, and dies at some operation.
TEST(CarriedCrash, LosesNothingLiveAndBringsNothingBack) {
  const queue::test::CrashRuns runs(40);
  std::uint64_t crashes = 0;
  std::uint64_t carried = 0;
  std::uint64_t cut_short = 0;
  for (std::uint64_t seed = runs.first(); seed <= runs.last(); ++seed) {
    SCOPED_TRACE("STENTOR_CRASH_SEED=" + std::to_string(seed));
    queue::test::RandomNumbers random(seed);
    queue::test::SimFileSystem files(random.next());
    ASSERT_TRUE(files.make_directory(kJournalFolder));
    JournalHistory history(files, kJournalFolder, random.next());
    Carrying carrying(files, history);
    queue::JournalEnd end;
    OnDisk left;
    for (int life = 0; life < 6; ++life) {
      const bool started = history.start(end);
      for (const auto& [sequence, known] : left.live) {
        history.know(sequence, known.at, known.subject, known.parts);
      }
      // Half of the lives end within a carrying out: that is where the steps are.
      const bool dies_carrying = random.one_in(2);
      if (!dies_carrying) {
        files.plan(queue::test::SimFileSystem::Fault::crash, 20 + random.below(200));
      }
      for (int step = 0; step < 150 && started && !files.has_crashed(); ++step) {
        if (!history.commit()) break;
        const std::uint32_t file = history.writer().durable_end().file();
        if (file > std::max(1u, carrying.checkpoint_before()) && random.one_in(4) &&
            !carrying.checkpoint(file)) {
          continue;
        }
        const std::uint32_t from = std::max(oldest_file(files), carrying.carried_before());
        if (carrying.checkpoint_before() <= from + 1 || !random.one_in(6)) continue;
        const auto before = static_cast<std::uint32_t>(
            from + 1 + random.below(carrying.checkpoint_before() - from));
        if (dies_carrying && random.one_in(2)) {
          files.plan(queue::test::SimFileSystem::Fault::crash, random.below(24));
        }
        if (carrying.carry(before)) {
          ++carried;
        } else {
          ++cut_short;
        }
      }
      history.stop();
      ++crashes;
      queue::test::come_back(files, random);
      left = look(files);
      CarriedStart behind(files);
      const auto from_checkpoint = behind.run(true);
      ASSERT_TRUE(from_checkpoint) << from_checkpoint.error();
      files.restart();  // lets go of the lock
      CarriedStart whole(files);
      const auto from_files = whole.run(false);
      ASSERT_TRUE(from_files) << from_files.error();
      ASSERT_EQ(whole.seen, behind.seen);

      const auto& truth = history.fate(whole.ledger);
      ASSERT_EQ(whole.ledger.accepted, truth.ledger.accepted);
      ASSERT_EQ(whole.ledger.finals(), truth.ledger.finals());
      ASSERT_EQ(whole.ledger.accepted, whole.ledger.finals() + whole.live);
      std::set<std::uint64_t> expected;
      for (const auto& [sequence, sent] : truth.live) expected.insert(sequence);
      std::set<std::uint64_t> found;
      queue::JournalReader reader(files, kJournalFolder, {});
      for (const auto& [sequence, known] : left.live) {
        found.insert(sequence);
        ASSERT_TRUE(reader.read(known.at)) << sequence;
      }
      ASSERT_EQ(found, expected);
      history.settle(truth);
      history.begin_files_with({.before = from_files->carried.before});
      carrying.go_on_from(*from_files);
      end = from_files->recovered.end;
      files.restart();  // likewise
    }
  }
  std::cout << crashes << " crashes, " << carried << " carried out, " << cut_short
            << " cut short\n";
  EXPECT_TRUE(runs.is_one() || (carried > runs.count() && cut_short > runs.count() / 2));
}

}  // namespace
}  // namespace stentor::daemon
