// Crashes the journal again and again on a simulated disk, and holds what recovery finds against
// what was acknowledged: nothing of that may be missing, changed, moved or out of order, and
// nothing may appear that was never offered, or was refused.
//
// STENTOR_CRASH_SEED=n repeats one run; STENTOR_CRASH_TIMES=n makes n times as many.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "queue/journal_reader.h"
#include "queue/journal_recovery.h"
#include "queue/journal_writer.h"
#include "tests/queue/crash_runs.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::queue::test {
namespace {

constexpr std::uint8_t kEntry = 7;
constexpr std::uint8_t kPreamble = 9;
constexpr std::string_view kDirectory = "/journal";

using Octets = std::vector<std::uint8_t>;

/// What one record was, and what we were told of it.
struct Entry {
  Octets payload;
  Locator at;
  bool is_acknowledged = false;
};

struct Tally {
  std::uint64_t crashes = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t recovered = 0;
  std::uint64_t faults_in_recovery = 0;
  std::uint64_t refused = 0;
  SimFileSystem::Met met;
};

/// One disk, its journal, and several lives of a process that uses it.
class World {
 public:
  /// Faults come by chance.
  World(std::uint64_t seed, Tally& tally) : random_(seed), files_(random_.next()), tally_(tally) {}

  /// One fault in all its lives, or none.
  struct OneFault {
    SimFileSystem::Fault fault = SimFileSystem::Fault::crash;
    std::uint64_t at = 0;  ///< operation of the disk, from 0
    SimFileSystem::Lasts lasts = SimFileSystem::Lasts::once;
  };
  World(std::uint64_t seed, Tally& tally, std::optional<OneFault> fault) : World(seed, tally) {
    is_by_chance_ = false;
    if (fault) files_.plan(fault->fault, fault->at, fault->lasts);
  }

  [[nodiscard]] const SimFileSystem::Met& met() const { return files_.met(); }
  [[nodiscard]] std::uint64_t operations() const { return files_.operations(); }
  [[nodiscard]] bool has_met_its_fault() const { return !files_.is_planned(); }

  void live_once() {
    const auto recovered = recover_at_last();
    if (!recovered) return;
    write_until_the_end(*recovered);
    die();
  }

 private:
  static constexpr std::uint64_t kOperationsOfALife = 60;

  /// Recovers; when a fault or a crash was planned for it, once more without.
  std::optional<JournalEnd> recover_at_last() {
    if (random_.one_in(3)) plan_fault(8);
    for (const bool may_fail : {true, false}) {
      std::vector<Entry> found;
      auto recovered = recover(files_, kDirectory, {}, [&](const Record& record) {
        if (record.kind != kEntry) return;
        found.push_back({Octets(record.payload.begin(), record.payload.end()), record.at, true});
      });
      take_fault_back();
      if (recovered && !files_.has_crashed()) {
        check(found);
        lock_ = std::move(recovered->lock);
        return recovered->end;
      }
      if (!may_fail) {
        ADD_FAILURE() << recovered.error().detail;
        return std::nullopt;
      }
      ++tally_.faults_in_recovery;
      recovered = std::unexpected(RecoveryFault{});  // gives the lock back
      die();
    }
    return std::nullopt;
  }

  /// What was found must be what was offered, in order; what was acknowledged must be there.
  void check(const std::vector<Entry>& found) {
    std::vector<Entry> kept;
    std::size_t next = 0;
    for (const Entry& entry : entries_) {
      const bool is_found = next < found.size() && found[next].payload == entry.payload;
      if (is_found) {
        if (entry.is_acknowledged) {
          EXPECT_EQ(found[next].at, entry.at) << "a record has moved";
        }
        kept.push_back(found[next++]);
      } else if (entry.is_acknowledged && entry.at.file() >= dropped_before_) {
        ADD_FAILURE() << "an acknowledged record is missing: file " << entry.at.file() << " block "
                      << entry.at.block() << " record " << entry.at.record();
      }
    }
    EXPECT_EQ(next, found.size()) << "a record was invented, changed or is out of order";
    tally_.recovered += found.size();
    entries_ = std::move(kept);
    dropped_before_ = 0;
    if (random_.one_in(8)) read_back();
  }

  void read_back() {
    JournalReader reader(files_, kDirectory, {.blocks_octets_max = 4096});
    Locator position;
    const Locator end(kFileNumberEnd, 0, 0);
    for (const Entry& entry : entries_) {
      const auto record = reader.read(entry.at);
      ASSERT_TRUE(record) << record.error().message();
      EXPECT_TRUE(std::ranges::equal(record->payload, entry.payload));
      while (true) {
        const auto next = reader.next(position, end);
        ASSERT_TRUE(next && *next) << "reading onward misses a record";
        if ((*next)->kind != kEntry) continue;
        EXPECT_EQ((*next)->at, entry.at);
        break;
      }
    }
  }

  void write_until_the_end(JournalEnd end) {
    if (random_.one_in(6)) files_.set_capacity(random_.below(1u << 17));
    if (!random_.one_in(5)) plan_fault(kOperationsOfALife);
    const std::uint32_t sizes[] = {1024, 4096, 16384};
    auto started =
        JournalWriter::start(files_,
                             {.directory = kDirectory,
                              .file_octets = sizes[random_.below(3)],
                              .free_octets_min = random_.one_in(4) ? 8192u : 0u,
                              .prepares_in_background = false,
                              .make_epoch = [this] { return random_.next(); }},
                             end, [this] {
                               JournalWriter::Preamble preamble;
                               preamble.first_word = counter_;
                               if (!random_.one_in(4))
                                 preamble.records.add(kPreamble, Octets(random_.below(40)));
                               return preamble;
                             });
    if (started) {
      for (std::uint64_t i = random_.below(20); i > 0 && act(**started); --i) {
      }
      if (random_.one_in(4)) lock_.reset();
    }
    files_.set_capacity(std::uint64_t{1} << 40);
  }

  /// One step of a daemon's life; false when the journal has failed.
  bool act(JournalWriter& writer) {
    if (random_.one_in(5)) return writer.commit_watermark().has_value();
    if (random_.one_in(12)) {
      const std::uint32_t current = writer.durable_end().file();
      const auto before =
          static_cast<std::uint32_t>(current - std::min<std::uint64_t>(current, random_.below(3)));
      dropped_before_ = std::max(dropped_before_, before);
      (void)writer.drop_before(before);
      return true;
    }
    std::vector<RecordBatch> batches(1 + random_.below(3));
    std::vector<std::vector<std::uint32_t>> offsets(batches.size());
    const std::size_t first = entries_.size();
    for (std::size_t i = 0; i < batches.size(); ++i) {
      for (std::uint64_t n = random_.below(5); n > 0; --n) {
        const Octets payload = make_payload();
        offsets[i].push_back(batches[i].add(kEntry, payload));
        entries_.push_back({payload, {}, false});
      }
    }
    std::vector<RecordBatch*> pointers;
    for (RecordBatch& batch : batches) pointers.push_back(&batch);
    const auto committed = writer.commit(pointers);
    if (committed) {
      std::size_t entry = first;
      for (std::size_t i = 0; i < batches.size(); ++i) {
        for (const std::uint32_t offset : offsets[i]) {
          entries_[entry].at = batches[i].at(offset);
          entries_[entry++].is_acknowledged = true;
          ++tally_.acknowledged;
        }
      }
      EXPECT_TRUE(!files_.has_crashed() || entries_.size() == first)
          << "acknowledged after the crash";
      return true;
    }
    if (committed.error() == JournalError::disk_full && writer.commit_watermark()) {
      entries_.resize(first);  // refused: these must never appear
      ++tally_.refused;
      return true;
    }
    EXPECT_EQ(writer.commit(pointers).error(), JournalError::poisoned);
    return false;
  }

  Octets make_payload() {
    const std::uint64_t sizes[] = {20, 200, 700};
    Octets payload(8 + random_.below(sizes[random_.below(3)]));
    for (auto& octet : payload) octet = static_cast<std::uint8_t>(random_.next());
    ++counter_;
    for (std::size_t i = 0; i < 8; ++i) payload[i] = static_cast<std::uint8_t>(counter_ >> 8 * i);
    return payload;
  }

  void plan_fault(std::uint64_t within) {
    using enum SimFileSystem::Fault;
    const SimFileSystem::Fault faults[] = {crash, crash, error, disk_full};
    const SimFileSystem::Fault fault = faults[random_.below(4)];
    const std::uint64_t after = random_.below(within);
    if (is_by_chance_) files_.plan(fault, after);
  }

  // The one fault of all lives stays until it is met.
  void take_fault_back() {
    if (is_by_chance_ || !files_.is_planned()) files_.unplan();
  }

  void die() {
    ++tally_.crashes;
    take_fault_back();
    switch (random_.below(4)) {
      case 0: files_.restart(); break;
      case 1: files_.restart_with_cold_cache(); break;
      default: files_.lose_power(); break;
    }
    lock_.reset();
  }

  static constexpr std::uint32_t kFileNumberEnd = (1u << 20) - 1;

  RandomNumbers random_;
  SimFileSystem files_;
  Tally& tally_;
  bool is_by_chance_ = true;
  std::unique_ptr<File> lock_;
  std::vector<Entry> entries_;
  std::uint64_t counter_ = 0;
  std::uint32_t dropped_before_ = 0;
};

TEST(JournalCrash, LosesNothingAcknowledgedAndInventsNothing) {
  constexpr std::uint64_t kLives = 5;
  const CrashRuns runs(2500, CrashRuns::Size::many);
  Tally tally;
  for (std::uint64_t seed = runs.first(); seed <= runs.last(); ++seed) {
    World world(seed, tally);
    for (std::uint64_t life = 0; life < kLives && !HasFailure(); ++life) world.live_once();
    tally.met += world.met();
    if (HasFailure()) FAIL() << "repeat with STENTOR_CRASH_SEED=" << seed;
  }
  RecordProperty("crashes", std::to_string(tally.crashes));
  std::cout << tally.crashes << " crashes, " << tally.faults_in_recovery << " of them in recovery; "
            << tally.acknowledged << " records acknowledged, " << tally.recovered
            << " recovered (each again after every crash), " << tally.refused
            << " commits refused; met " << tally.met.short_writes << " short writes, "
            << tally.met.failed_syncs << " failed syncs, " << tally.met.io_errors << " I/O errors, "
            << tally.met.disk_full << " times a full disk; power loss kept "
            << tally.met.sectors_kept << " unsynced sectors and took " << tally.met.sectors_lost
            << "\n";
  if (runs.is_full()) {
    EXPECT_GE(tally.crashes, 10000u);
    // Every kind of trouble was met often.
    EXPECT_GE(tally.met.short_writes, 500u);
    EXPECT_GE(tally.met.failed_syncs, 200u);
    EXPECT_GE(tally.met.io_errors, 200u);
    EXPECT_GE(tally.met.disk_full, 200u);
    EXPECT_GE(tally.met.sectors_kept, 1000u);
    EXPECT_GE(tally.met.sectors_lost, 1000u);
  }
}

// Every operation of ten scenarios, under a sanitizer of one, meets every fault: once, and for as
// long as that life lasts.
TEST(JournalCrash, SurvivesEachFaultAtEachOperation) {
  using enum SimFileSystem::Fault;
  using enum SimFileSystem::Lasts;
  const std::uint64_t scenarios = CrashRuns(1).is_full() ? 10 : 1;
  constexpr int kLives = 3;
  const World::OneFault kinds[] = {{crash, 0, once},
                                   {error, 0, once},
                                   {error, 0, until_unplanned},
                                   {disk_full, 0, once},
                                   {disk_full, 0, until_unplanned}};
  std::uint64_t faults = 0;
  for (std::uint64_t seed = 1; seed <= scenarios; ++seed) {
    Tally tally;
    World without(seed, tally, std::nullopt);
    for (int life = 0; life < kLives; ++life) without.live_once();
    ASSERT_GT(without.operations(), 20u) << "scenario " << seed << " does something";
    for (World::OneFault fault : kinds) {
      for (fault.at = 0; fault.at < without.operations(); ++fault.at) {
        World world(seed, tally, fault);
        for (int life = 0; life < kLives && !HasFailure(); ++life) world.live_once();
        world.live_once();  // looks at what the last one has left
        ASSERT_TRUE(world.has_met_its_fault());
        ++faults;
        ASSERT_FALSE(HasFailure())
            << "scenario " << seed << ", fault " << static_cast<int>(fault.fault)
            << " at operation " << fault.at << (fault.lasts == once ? ", once" : ", lasting");
      }
    }
  }
  std::cout << faults << " faults\n";
}

}  // namespace
}  // namespace stentor::queue::test
