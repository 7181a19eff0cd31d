// Checkpoints: what a start learns from one and the files behind it is what it would learn from the
// whole journal, on random histories and after thousands of crashes of a simulated disk.
//
// STENTOR_CRASH_SEED=n repeats one run; STENTOR_CRASH_TIMES=n makes n times as many.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "daemon/recovery/checkpoint_files.h"
#include "daemon/recovery/condenser.h"
#include "queue/excerpt_format.h"
#include "queue/journal_format.h"
#include "tests/daemon/recovery/journal_history.h"
#include "tests/daemon/recovery/recovered_carrier.h"
#include "tests/daemon/test_times.h"
#include "tests/queue/crash_runs.h"

namespace stentor::daemon {
namespace {

using test::kNowMs;

constexpr std::uint64_t kGuardMs = 86'400'000;

std::optional<Checkpoint> make_checkpoint(queue::FileSystem& files,
                                          const std::optional<Checkpoint>& previous,
                                          std::uint32_t before) {
  CheckpointFiles checkpoints(files, kJournalFolder);
  CheckpointFiles::Making making;
  making.previous = previous;
  making.oldest = 1;
  making.before = before;
  making.now_ms = kNowMs;
  making.guard_ms = kGuardMs;
  making.pace = unpaced;
  making.is_still_true = [] { return true; };
  const auto made = checkpoints.make(making);
  if (!made) return std::nullopt;
  (void)checkpoints.remove_old();
  return *made;
}

std::uint32_t last_block_of(std::span<const std::uint8_t> file) {
  std::uint32_t last = 0;
  for (std::uint32_t at = queue::kFirstBlock; at + queue::kBlockHeaderOctets <= file.size();) {
    const auto header = queue::decode_block_header(file.subspan(at, queue::kBlockHeaderOctets));
    if (!header) break;
    last = at;
    at += queue::block_octets(header->payload_octets);
  }
  return last;
}

/// One start: everything that recovery rebuilds, in words that can be compared.
class CheckpointStart {
 public:
  explicit CheckpointStart(queue::FileSystem& files) : files_(files) {}

  /// Errors are the journal's; `uses_checkpoint` false reads all of it.
  std::expected<queue::JournalEnd, std::string> run(bool uses_checkpoint) {
    Replay replay = known_.replay(kNowMs);
    CheckpointFiles checkpoints(files_, kJournalFolder);
    const auto checkpoint = uses_checkpoint ? checkpoints.find_newest() : std::nullopt;
    if (checkpoint) {
      before_ = checkpoint->before;
      const auto read = checkpoints.for_each(*checkpoint, [&](const queue::Record& record) {
        note(record);
        replay.restore(record);
        return queue::result<void>{};
      });
      if (!read) return std::unexpected(read.error().message());
    }
    auto recovered = queue::recover(files_, kJournalFolder, {.first_file = before_},
                                    [&](const queue::Record& record) {
                                      note(record);
                                      replay.visit(record);
                                    });
    if (!recovered) return std::unexpected(recovered.error().detail);
    replay.finish(recovered->oldest_file);
    ledger_ = replay.ledger();
    const auto& report = replay.report();
    const auto snapshot = known_.carrier.snapshot();
    seen_ =
        "waiting " + std::to_string(report.waiting) + " doubt " + std::to_string(report.in_doubt) +
        " awaiting " + std::to_string(report.awaiting_receipt) + " outstanding " +
        std::to_string(snapshot.outstanding) + " early " + std::to_string(snapshot.early_receipts) +
        " lanes " + std::to_string(snapshot.waiting_urgent) + " " +
        std::to_string(snapshot.waiting_normal) + " " + std::to_string(snapshot.waiting_bulk) +
        " timers " + std::to_string(snapshot.waiting_timers) + " paused " +
        std::to_string(known_.paused.size()) + " refs " + std::to_string(known_.references.size()) +
        " latest " + std::to_string(replay.latest_ms());
    for (const auto& [key, position] : known_.consumers.all()) {
      seen_.append(" " + key.name + " ").append(to_cursor(position));
    }
    FieldWriter totals;
    encode(ledger_, totals);
    for (const std::uint8_t octet : totals.octets()) seen_ += " " + std::to_string(octet);
    for (const auto& [number, use] : replay.files()) {
      seen_ += "\nfile " + std::to_string(number) + " live " + std::to_string(use.live) +
               " octets " + std::to_string(use.octets) + " first " +
               std::to_string(use.first_sequence) + " " + std::to_string(use.last_ms) +
               (use.has_totals ? " totals" : "");
    }
    return recovered->end;
  }

  [[nodiscard]] const std::string& seen() const { return seen_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] std::uint32_t before() const { return before_; }
  [[nodiscard]] std::set<std::uint64_t> live() const {
    std::set<std::uint64_t> live;
    for (const auto& [sequence, known] : accepted_) {
      if (!finals_.contains(sequence)) live.insert(sequence);
    }
    return live;
  }
  [[nodiscard]] const std::map<std::uint64_t, JournalHistory::Known>& accepted() const {
    return accepted_;
  }
  [[nodiscard]] bool remembers(const std::string& ref) { return known_.remembers(ref); }

 private:
  void note(const queue::Record& record) {
    const Carriage carriage = carriage_of(record.kind);
    if (carriage != Carriage::message && carriage != Carriage::follows) return;
    const auto about = about_message(record, carriage);
    ASSERT_TRUE(about);
    if (about->is_final) finals_.insert(about->sequence);
    if (carriage != Carriage::message) return;
    const auto accepted = decode_accepted(record.payload);
    accepted_[about->sequence] = {.at = record.at,
                                  .subject = {accepted->subject.begin(), accepted->subject.end()},
                                  .parts = decode_subject(accepted->subject)->parts};
  }

  queue::FileSystem& files_;
  CommitThread commit_{CommitThread::Options{}};
  RecoveredCarrier known_{files_, kJournalFolder, commit_, {.tickets_in_memory = 1'000'000}};
  std::map<std::uint64_t, JournalHistory::Known> accepted_;
  std::set<std::uint64_t> finals_;
  Ledger ledger_;
  std::uint32_t before_ = 0;
  std::string seen_;
};

class CheckpointTest : public testing::Test {
 protected:
  // Batches until so many files are sealed.
  void grow(std::uint32_t files) {
    while (history_.writer().durable_end().file() < files) ASSERT_TRUE(history_.commit());
  }
  std::string seen(bool uses_checkpoint, std::uint32_t expected_before = 0) {
    CheckpointStart start(files_);
    const auto run = start.run(uses_checkpoint);
    EXPECT_TRUE(run) << run.error();
    EXPECT_EQ(start.before(), expected_before);
    EXPECT_EQ(start.ledger().accepted, start.ledger().finals() + history_.certain().live.size());
    return start.seen();
  }

  void SetUp() override {
    ASSERT_TRUE(files_.make_directory(kJournalFolder));
    ASSERT_TRUE(history_.start({}));
  }
  // Before the files 3 and 6, and one more file behind.
  void make_two_checkpoints() {
    grow(4);
    const auto first = make_checkpoint(files_, std::nullopt, 3);
    ASSERT_TRUE(first);
    grow(7);
    ASSERT_TRUE(make_checkpoint(files_, first, 6));
    history_.stop();
  }

  queue::test::SimFileSystem files_{1};
  JournalHistory history_{files_, kJournalFolder, 1};
};

TEST_F(CheckpointTest, TellsWhatTheWholeJournalTells) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    queue::test::SimFileSystem files(seed);
    ASSERT_TRUE(files.make_directory(kJournalFolder));
    JournalHistory history(files, kJournalFolder, seed);
    ASSERT_TRUE(history.start({}));
    queue::test::RandomNumbers random(seed);
    std::optional<Checkpoint> newest;
    for (std::uint32_t file = 2; file < 14; ++file) {
      while (history.writer().durable_end().file() < file) ASSERT_TRUE(history.commit());
      if (random.one_in(3)) {
        newest = make_checkpoint(files, newest, file);
        ASSERT_TRUE(newest);
      }
    }
    CheckpointStart whole(files);
    const auto read_all = whole.run(false);
    ASSERT_TRUE(read_all) << read_all.error();
    CheckpointStart behind(files);
    const auto read_tail = behind.run(true);
    ASSERT_TRUE(read_tail) << read_tail.error();
    EXPECT_EQ(behind.before(), newest ? newest->before : 0);
    EXPECT_EQ(whole.seen(), behind.seen());
    EXPECT_EQ(whole.ledger().accepted, history.certain().ledger.accepted);
    EXPECT_EQ(whole.live().size(), history.certain().live.size());
    EXPECT_EQ(behind.live(), whole.live());
    for (const auto& [ref, sequence] : history.certain().refs) {
      EXPECT_TRUE(behind.remembers(ref)) << ref;
    }
  }
}

TEST_F(CheckpointTest, IsPassedOverWhenAnOctetOfItIsSpoilt) {
  make_two_checkpoints();
  const std::string expected = seen(false);
  const auto path = kJournalFolder / queue::excerpt_name("checkpoint", 6);
  const auto good = files_.content(path);
  for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 97) {
    if (at >= 20 && at < 60) continue;  // reserved octets of the header: under its check below
    auto spoilt = good;
    spoilt[at] ^= 0x40;
    files_.set_content(path, spoilt);
    EXPECT_EQ(seen(true, 3), expected) << "octet " << at;
  }
  files_.set_content(path, {good.begin(), good.end() - 1});
  EXPECT_EQ(seen(true, 3), expected);
  files_.set_content(kJournalFolder / queue::excerpt_name("checkpoint", 3), {});
  EXPECT_EQ(seen(true, 0), expected);
  files_.set_content(path, good);
  EXPECT_EQ(seen(true, 6), expected);
}

// Behind a checkpoint nobody reads those files again: what it left out would be lost, where a start
// that reads them refuses.
TEST_F(CheckpointTest, IsNotMadeWhereTheJournalHasLostSomething) {
  grow(5);
  history_.stop();
  const auto path = kJournalFolder / queue::file_name(2);
  const auto good = files_.content(path);
  const auto expect_none = [&](const char* what) {
    for (const std::uint32_t before : {3u, 5u}) {
      EXPECT_FALSE(make_checkpoint(files_, std::nullopt, before)) << what << ", before " << before;
    }
    CheckpointStart start(files_);
    EXPECT_FALSE(start.run(true)) << what << ": a start refuses as well";
  };

  auto spoilt = good;
  spoilt[last_block_of(good) + queue::kBlockHeaderOctets] ^= 1;
  files_.set_content(path, spoilt);
  expect_none("the last block's records");
  spoilt = good;
  spoilt[last_block_of(good) + 8] ^= 1;
  files_.set_content(path, spoilt);
  expect_none("the last block's header");
  spoilt = good;
  spoilt[20] ^= 1;
  files_.set_content(path, spoilt);
  expect_none("the file's header");
  ASSERT_TRUE(files_.remove(path));
  expect_none("the file");

  files_.set_content(path, good);
  EXPECT_TRUE(make_checkpoint(files_, std::nullopt, 5)) << "whole again";
}

TEST_F(CheckpointTest, IsNotMadeWithoutTheFileThatItBeginsWith) {
  grow(5);
  history_.stop();
  const auto first = make_checkpoint(files_, std::nullopt, 3);
  ASSERT_TRUE(first);
  const auto path = kJournalFolder / queue::file_name(3);
  auto spoilt = files_.content(path);
  spoilt[20] ^= 1;
  files_.set_content(path, spoilt);
  EXPECT_FALSE(make_checkpoint(files_, first, 5));
  ASSERT_TRUE(files_.remove(path));
  EXPECT_FALSE(make_checkpoint(files_, first, 5));
  for (const std::uint32_t file : {1u, 2u}) {
    ASSERT_TRUE(files_.remove(kJournalFolder / queue::file_name(file)));
  }
  EXPECT_FALSE(make_checkpoint(files_, first, 5)) << "nor when those before are dropped";
}

TEST_F(CheckpointTest, IsMadePastWhatSalvagingHasSetAside) {
  for (const bool is_whole_file : {false, true}) {
    SCOPED_TRACE(is_whole_file ? "a whole file" : "a last block");
    queue::test::SimFileSystem files(2);
    ASSERT_TRUE(files.make_directory(kJournalFolder));
    JournalHistory history(files, kJournalFolder, 2);
    ASSERT_TRUE(history.start({}));
    while (history.writer().durable_end().file() < 5) ASSERT_TRUE(history.commit());
    history.stop();
    const auto path = kJournalFolder / queue::file_name(2);
    auto spoilt = files.content(path);
    spoilt[is_whole_file ? 20 : last_block_of(spoilt) + queue::kBlockHeaderOctets] ^= 1;
    files.set_content(path, spoilt);
    ASSERT_TRUE(
        queue::recover(files, kJournalFolder, {.salvage = true}, [](const queue::Record&) {}));
    EXPECT_TRUE(make_checkpoint(files, std::nullopt, 5));
    EXPECT_TRUE(make_checkpoint(files, std::nullopt, 3));
  }
}

TEST_F(CheckpointTest, FromTheFutureIsNamedAndPassedOver) {
  make_two_checkpoints();
  const std::string expected = seen(false);
  const auto from_the_future = [this](std::uint32_t before) {
    const auto path = kJournalFolder / queue::excerpt_name("checkpoint", before);
    auto octets = files_.content(path);
    std::ranges::copy(queue::encode(queue::ExcerptHeader{.version = 2, .before = before}),
                      octets.begin());
    files_.set_content(path, octets);
  };

  from_the_future(6);
  EXPECT_EQ(seen(true, 3), expected) << "the one before is read";
  from_the_future(3);
  EXPECT_EQ(seen(true, 0), expected) << "the whole journal is read";

  CheckpointFiles checkpoints(files_, kJournalFolder);
  EXPECT_FALSE(checkpoints.find_newest());
  if (!checkpoints.met_newer()) FAIL() << "one was met";
  EXPECT_EQ(to_string(*checkpoints.met_newer()),
            "checkpoint-00000006.stx: format 2, while this program knows up to 1");
}

TEST_F(CheckpointTest, OfAnotherJournalIsNotBelieved) {
  grow(4);
  ASSERT_TRUE(make_checkpoint(files_, std::nullopt, 3));
  history_.stop();
  const auto content = files_.content(kJournalFolder / queue::excerpt_name("checkpoint", 3));

  queue::test::SimFileSystem other(2);
  ASSERT_TRUE(other.make_directory(kJournalFolder));
  JournalHistory elsewhere(other, kJournalFolder, 99);
  ASSERT_TRUE(elsewhere.start({}));
  while (elsewhere.writer().durable_end().file() < 4) ASSERT_TRUE(elsewhere.commit());
  elsewhere.stop();
  ASSERT_TRUE(make_checkpoint(other, std::nullopt, 3));
  other.set_content(kJournalFolder / queue::excerpt_name("checkpoint", 3), content);
  CheckpointStart start(other);
  ASSERT_TRUE(start.run(true));
  EXPECT_EQ(start.before(), 0u);
}

TEST_F(CheckpointTest, KeepsTheNewestTwo) {
  grow(6);
  std::optional<Checkpoint> newest;
  for (const std::uint32_t before : {2u, 3u, 4u, 5u}) {
    newest = make_checkpoint(files_, newest, before);
    ASSERT_TRUE(newest);
  }
  EXPECT_FALSE(files_.exists(kJournalFolder / queue::excerpt_name("checkpoint", 3)));
  EXPECT_TRUE(files_.exists(kJournalFolder / queue::excerpt_name("checkpoint", 4)));
  EXPECT_TRUE(files_.exists(kJournalFolder / queue::excerpt_name("checkpoint", 5)));
}

TEST_F(CheckpointTest, AreAllRemovedWhenTheJournalWasSalvaged) {
  grow(4);
  const auto first = make_checkpoint(files_, std::nullopt, 2);
  ASSERT_TRUE(first);
  ASSERT_TRUE(make_checkpoint(files_, first, 3));
  CheckpointFiles checkpoints(files_, kJournalFolder);
  ASSERT_TRUE(checkpoints.find_newest());

  ASSERT_TRUE(checkpoints.remove_all());

  EXPECT_FALSE(checkpoints.find_newest());
  EXPECT_FALSE(files_.exists(kJournalFolder / queue::excerpt_name("checkpoint", 2)));
}

TEST_F(CheckpointTest, ForgetsReferencesWhenTheirGuardIsOver) {
  grow(4);
  CheckpointFiles checkpoints(files_, kJournalFolder);
  CheckpointFiles::Making making;
  making.oldest = 1;
  making.before = 4;
  making.now_ms = kNowMs + 2 * kGuardMs;
  making.guard_ms = kGuardMs;
  making.pace = unpaced;
  making.is_still_true = [] { return true; };
  const auto made = checkpoints.make(making);
  ASSERT_TRUE(made);
  std::uint64_t references = 0;
  ASSERT_TRUE(checkpoints.for_each(*made, [&](const queue::Record& record) {
    references += record.kind == static_cast<std::uint8_t>(CheckpointKind::reference);
    return queue::result<void>{};
  }));
  EXPECT_EQ(references, 0u);
}

// One disk and several lives: each writes, makes checkpoints, and dies at some operation; the next
// start must know everything acknowledged, nothing else, and its ledger must balance, and must know
// the same with and without the checkpoint.
TEST(CheckpointCrash, LosesNothingAndInventsNothing) {
  const queue::test::CrashRuns runs(60);
  std::uint64_t crashes = 0;
  std::uint64_t behind_checkpoint = 0;
  for (std::uint64_t seed = runs.first(); seed <= runs.last(); ++seed) {
    SCOPED_TRACE("STENTOR_CRASH_SEED=" + std::to_string(seed));
    queue::test::RandomNumbers random(seed);
    queue::test::SimFileSystem files(random.next());
    ASSERT_TRUE(files.make_directory(kJournalFolder));
    JournalHistory history(files, kJournalFolder, random.next());
    std::optional<queue::JournalEnd> end = queue::JournalEnd{};
    for (int life = 0; life < 6 && end; ++life) {
      const bool started = history.start(*end);
      files.plan(queue::test::SimFileSystem::Fault::crash, 20 + random.below(120));
      std::optional<Checkpoint> newest = CheckpointFiles(files, kJournalFolder).find_newest();
      while (started && !files.has_crashed() && history.commit()) {
        const std::uint32_t file = history.writer().durable_end().file();
        if (file > (newest ? newest->before : 1) && random.one_in(4)) {
          if (const auto made = make_checkpoint(files, newest, file)) newest = made;
        }
      }
      history.stop();
      ++crashes;
      queue::test::come_back(files, random);
      CheckpointStart behind(files);
      const auto read_tail = behind.run(true);
      ASSERT_TRUE(read_tail) << read_tail.error();
      CheckpointStart whole(files);
      const auto read_all = whole.run(false);
      ASSERT_TRUE(read_all) << read_all.error();
      ASSERT_EQ(whole.seen(), behind.seen());
      behind_checkpoint += behind.before() > 0;

      const auto& truth = history.fate(behind.ledger());
      ASSERT_EQ(behind.ledger().accepted, truth.ledger.accepted);
      ASSERT_EQ(behind.ledger().finals(), truth.ledger.finals());
      ASSERT_EQ(behind.ledger().sent, truth.ledger.sent);
      ASSERT_EQ(behind.ledger().accepted, behind.ledger().finals() + behind.live().size());
      std::set<std::uint64_t> expected;
      for (const auto& [sequence, sent] : truth.live) expected.insert(sequence);
      ASSERT_EQ(behind.live(), expected);
      for (const auto& [ref, sequence] : truth.refs) ASSERT_TRUE(behind.remembers(ref)) << ref;
      history.settle(truth);
      end = *read_tail;
      files.restart();  // lets go of the lock
      if (!history.start(*end)) continue;
      history.stop();
      for (const auto& [sequence, known] : whole.accepted()) {
        if (expected.contains(sequence))
          history.know(sequence, known.at, known.subject, known.parts);
      }
    }
  }
  std::cout << crashes << " crashes, " << behind_checkpoint << " starts from a checkpoint\n";
}

}  // namespace
}  // namespace stentor::daemon
