// The commit thread itself on a simulated disk: crashes, failed syncs and a full disk while clients
// send and a shard writes outcomes. What was told to be durable is there afterwards, what was
// refused is not, outcomes are never refused, files go when they are old and not before, and the
// ledger is what the journal says.
//
// A turn of the thread answers all that was handed over before it, and whoever is answered hands
// over the next; time passes where the thread waits. So a seed repeats a run, whatever the
// scheduler does.
//
// STENTOR_CRASH_SEED=n repeats one run; STENTOR_CRASH_TIMES=n makes n times as many.
#include <gtest/gtest.h>

#include <atomic>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/commit/commit_thread.h"
#include "queue/journal_recovery.h"
#include "queue/journal_writer.h"
#include "tests/daemon/commit/owned_commit_clock.h"
#include "tests/queue/crash_runs.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::daemon {
namespace {

using queue::test::RandomNumbers;
using queue::test::SimFileSystem;

constexpr std::uint8_t kMessage = 97;
constexpr std::uint8_t kOutcome = 98;
constexpr std::string_view kDirectory = "/journal";
constexpr auto kRetention = std::chrono::hours(72);

struct CommitTally {
  std::uint64_t crashes = 0;  ///< in the middle of an operation of the disk
  std::uint64_t broken = 0;   ///< ended by a failed write or sync
  std::uint64_t stopped = 0;  ///< ended in order, and the power went behind it
  std::uint64_t rests = 0;
  std::uint64_t files_gone = 0;
  std::uint64_t durable = 0;
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
  SimFileSystem::Met met;
};

/// A message by its number, and what its sender and the shard were told.
struct Followed {
  bool is_durable = false;
  bool is_refused = false;
  bool is_outcome_offered = false;
  bool is_outcome_durable = false;
  queue::Locator at{};
};

class CommitWorld {
 public:
  CommitWorld(std::uint64_t seed, CommitTally& tally)
      : random_(seed), files_(random_.next()), tally_(tally) {}

  [[nodiscard]] const SimFileSystem::Met& met() const { return files_.met(); }

  void live_once() {
    auto recovered = recover();
    ASSERT_TRUE(recovered) << recovered.error().detail;
    lock_ = std::move(recovered->lock);
    commit_ = std::make_unique<CommitThread>(
        CommitThread::Options{.delay = {},
                              .retention = {.age = kRetention, .octets = std::uint64_t{1} << 40},
                              .clock = &clock_});
    commit_->restore(totals_, uses_);
    ingress_ = &commit_->add_producer(true, [this] { on_ingress(); });
    shard_ = &commit_->add_producer(false, [this] { on_shard(); });
    commit_->set_on_failure([this](const std::string&) {
      is_broken_ = true;
      end();
    });
    clock_.set_on_idle([this] { return rest_or_offer(); });
    if (random_.one_in(4)) files_.set_capacity(random_.below(1u << 16));
    if (!random_.one_in(10)) plan_fault();
    turns_ = 3 + random_.below(20);
    refusals_ = 0;
    rests_ = 0;
    offered_.clear();
    is_over_ = is_broken_ = false;
    auto writer =
        queue::JournalWriter::start(files_,
                                    {.directory = kDirectory,
                                     .file_octets = 1u << (10 + random_.below(5)),
                                     .prepares_in_background = false,
                                     .make_epoch = [this] { return random_.next(); }},
                                    recovered->end, [this] { return commit_->make_preamble(); });
    if (writer) {
      commit_->adopt(std::move(*writer));
      offer_messages();
      commit_->start();
      is_over_.wait(false);
      commit_->stop();
      EXPECT_EQ(commit_->snapshot().imbalance(), 0);
    }
    commit_.reset();
    lock_.reset();
    ++(files_.has_crashed() ? tally_.crashes : is_broken_ ? tally_.broken : tally_.stopped);
    files_.set_capacity(std::uint64_t{1} << 40);
    queue::test::come_back(files_, random_);
  }

  /// A last look, after the last crash.
  void judge() {
    const auto recovered = recover();
    ASSERT_TRUE(recovered) << recovered.error().detail;
  }

 private:
  using Records = std::vector<std::pair<std::uint64_t, std::uint32_t>>;  // number, offset

  std::expected<queue::Recovered, queue::RecoveryFault> recover() {
    std::optional<std::uint32_t> oldest;
    Ledger seen;
    std::map<std::uint32_t, FileUse> uses;
    std::map<std::uint64_t, queue::Locator> messages;
    std::map<std::uint64_t, bool> outcomes;
    auto recovered = queue::recover(files_, kDirectory, {}, [&](const queue::Record& record) {
      FileUse& use = uses[record.at.file()];
      use.has_totals = true;
      use.last_ms = clock_.wall_ms();  // as old as this start
      if (record.kind == static_cast<std::uint8_t>(RecordKind::totals)) {
        const auto totals = decode_totals(record.payload);
        ASSERT_TRUE(totals.has_value());
        if (!oldest) seen = *totals;  // what lay before it has gone
        oldest = oldest.value_or(record.at.file());
        EXPECT_EQ(totals->accepted, seen.accepted) << "at the beginning of a file";
        EXPECT_EQ(totals->delivered, seen.delivered) << "at the beginning of a file";
        return;
      }
      const std::uint64_t number =
          std::stoull(std::string(record.payload.begin(), record.payload.end()));
      if (record.kind == kMessage) {
        EXPECT_TRUE(messages.emplace(number, record.at).second) << "message " << number << " twice";
        ++seen.accepted;
        ++use.live;
        return;
      }
      ASSERT_EQ(record.kind, kOutcome);
      EXPECT_TRUE(outcomes.emplace(number, true).second) << "outcome " << number << " twice";
      ++seen.delivered;
      if (const auto message = messages.find(number); message != messages.end()) {
        --uses[message->second.file()].live;
      } else {
        ASSERT_TRUE(followed_.contains(number)) << "an outcome of nothing: " << number;
        EXPECT_LT(followed_.at(number).at.file(), *oldest) << "its message is lost: " << number;
      }
    });
    if (!recovered) return recovered;
    if (oldest) {
      tally_.files_gone += *oldest - std::max(oldest_, 1u);
      oldest_ = *oldest;
    }
    for (auto& [number, message] : followed_) {
      // Both are known to be durable, so that the file might go, and it has.
      if (message.is_outcome_durable && message.at.file() < oldest_) continue;
      const bool is_found = messages.contains(number);
      const bool has_outcome = outcomes.contains(number);
      EXPECT_TRUE(is_found || !message.is_durable) << "message " << number << " is lost";
      EXPECT_FALSE(is_found && message.is_refused) << "refused, and there: " << number;
      EXPECT_TRUE(has_outcome || !message.is_outcome_durable) << "outcome " << number << " is lost";
      EXPECT_TRUE(!has_outcome || message.is_outcome_offered);
      message.is_durable = is_found;
      message.is_outcome_durable = message.is_outcome_offered = has_outcome;
      if (is_found) message.at = messages.at(number);
    }
    for (const auto& [number, at] : messages) {
      EXPECT_TRUE(followed_.contains(number)) << "message " << number << " was never offered";
    }
    std::erase_if(followed_, [](const auto& entry) { return !entry.second.is_durable; });
    totals_ = seen;
    uses_ = std::move(uses);
    return recovered;
  }

  static BatchPointer make_batch() { return std::make_shared<CommitBatch>(); }

  void offer_messages() {
    BatchPointer batch = make_batch();
    for (std::uint64_t n = 1 + random_.below(6); n > 0; --n) {
      followed_[++last_];
      add(*batch, kMessage, last_);
      ++batch->accepted;
      ++batch->delta.accepted;
    }
    commit_->submit(*ingress_, std::move(batch));
  }

  /// Of some of those that are durable and have none.
  void offer_outcomes() {
    BatchPointer batch = make_batch();
    for (auto& [number, message] : followed_) {
      if (!message.is_durable || message.is_outcome_offered || random_.one_in(2)) continue;
      message.is_outcome_offered = true;
      add(*batch, kOutcome, number);
      batch->finish(message.at.file());
      ++batch->delta.delivered;
    }
    if (!batch->records.is_empty()) commit_->submit(*shard_, std::move(batch));
  }

  // In digits, and long enough that files are filled.
  void add(CommitBatch& batch, std::uint8_t kind, std::uint64_t number) {
    const std::string text = std::string(random_.below(300), '0') + std::to_string(number);
    offered_[&batch].emplace_back(
        number,
        batch.records.add(kind, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  }

  void on_ingress() {
    while (const auto batch = ingress_->settled.try_pop()) {
      const std::error_code failure = (*batch)->failure;
      const bool is_refused = failure == queue::JournalError::disk_full;
      const Records records = take_records(**batch);
      for (const auto& [number, offset] : records) {
        Followed& message = followed_.at(number);
        message.is_refused = is_refused;
        if (failure) continue;
        message.is_durable = true;
        message.at = (*batch)->records.at(offset);
        ++tally_.durable;
      }
      if (is_refused) {
        ++tally_.refused;
        if (++refusals_ == kRefusalsUntilRoom)
          files_.set_capacity(std::uint64_t{1} << 40);  // somebody made room
      } else if (failure) {
        ++tally_.failed;
      }
    }
    if (is_over_) return;
    if (turns_-- == 0) return end();
    // Not while the disk is full: outcomes that wait for room leave no turn of rest.
    const bool may_rest = refusals_ == 0 || refusals_ >= kRefusalsUntilRoom;
    if (may_rest && random_.one_in(6)) {
      rests_ = 1 + random_.below(4);
    } else {
      offer();
    }
  }

  void offer() {
    offer_messages();
    offer_outcomes();
  }

  void end() {
    is_over_ = true;
    is_over_.notify_one();
  }

  // What OwnedCommitClock asks: whether the time of a sleep passes.
  bool rest_or_offer() {
    if (is_over_) return false;
    if (rests_ == 0) {
      offer();
    } else {
      --rests_;
      ++tally_.rests;
      if (random_.one_in(4)) clock_.pass(kRetention / 2);
    }
    return true;
  }

  void on_shard() {
    while (const auto batch = shard_->settled.try_pop()) {
      const std::error_code failure = (*batch)->failure;
      EXPECT_NE(failure, make_error_code(queue::JournalError::disk_full)) << "an outcome is kept";
      const Records records = take_records(**batch);
      for (const auto& [number, offset] : records) {
        if (!failure) followed_.at(number).is_outcome_durable = true;
      }
    }
  }

  Records take_records(const CommitBatch& batch) {
    return std::move(offered_.extract(&batch).mapped());
  }

  void plan_fault() {
    using enum SimFileSystem::Fault;
    const SimFileSystem::Fault faults[] = {crash, crash, crash, error, error, disk_full};
    files_.plan(faults[random_.below(6)], random_.below(24));
  }

  static constexpr std::uint64_t kRefusalsUntilRoom = 4;

  RandomNumbers random_;
  SimFileSystem files_;
  OwnedCommitClock clock_;
  CommitTally& tally_;
  std::unique_ptr<queue::File> lock_;
  std::unique_ptr<CommitThread> commit_;
  CommitLane* ingress_ = nullptr;
  CommitLane* shard_ = nullptr;
  std::map<std::uint64_t, Followed> followed_;
  std::map<const CommitBatch*, Records> offered_;
  std::uint64_t last_ = 0;
  std::uint64_t turns_ = 0;
  std::uint64_t refusals_ = 0;
  std::uint64_t rests_ = 0;
  std::uint32_t oldest_ = 0;
  bool is_broken_ = false;
  std::atomic<bool> is_over_{false};
  Ledger totals_;
  std::map<std::uint32_t, FileUse> uses_;
};

TEST(CommitCrash, NothingToldDurableIsLostNothingRefusedAppearsAndTheLedgerHolds) {
  const queue::test::CrashRuns runs(3400, queue::test::CrashRuns::Size::many);
  CommitTally tally;
  for (std::uint64_t seed = runs.first(); seed <= runs.last(); ++seed) {
    SCOPED_TRACE("STENTOR_CRASH_SEED=" + std::to_string(seed));
    CommitWorld world(seed, tally);
    for (int life = 0; life < 5 && !HasFailure(); ++life) world.live_once();
    if (!HasFailure()) world.judge();
    tally.met += world.met();
    ASSERT_FALSE(HasFailure());
  }
  std::cout << tally.crashes << " crashes within an operation, " << tally.broken
            << " behind a failed one, " << tally.stopped << " stops; " << tally.durable
            << " messages durable, " << tally.refused << " batches refused, " << tally.failed
            << " failed; " << tally.rests << " rests, " << tally.files_gone << " files gone; met "
            << tally.met.short_writes << " short writes, " << tally.met.failed_syncs
            << " failed syncs, " << tally.met.io_errors << " I/O errors, " << tally.met.disk_full
            << " times a full disk, " << tally.met.sectors_kept << " sectors kept and "
            << tally.met.sectors_lost << " lost\n";
  if (!runs.is_full()) return;
  EXPECT_GE(tally.crashes + tally.broken, 10'000u);
  EXPECT_GE(tally.met.short_writes, 500u);
  EXPECT_GE(tally.met.failed_syncs, 200u);
  EXPECT_GE(tally.met.io_errors, 200u);
  EXPECT_GE(tally.met.disk_full, 200u);
  EXPECT_GE(tally.met.sectors_kept, 1000u);
  EXPECT_GE(tally.met.sectors_lost, 1000u);
  EXPECT_GE(tally.refused, 200u);
  EXPECT_GE(tally.rests, 1000u);
  EXPECT_GE(tally.files_gone, 1000u);
}

}  // namespace
}  // namespace stentor::daemon
