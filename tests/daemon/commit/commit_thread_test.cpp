#include "daemon/commit/commit_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "daemon/wall_clock.h"
#include "queue/journal_reader.h"
#include "tests/daemon/journal_on_disk.h"
#include "tests/temporary_directory.h"

namespace stentor::daemon {
namespace {

std::uint32_t add(CommitFeed& feed, std::string_view text) {
  return feed.open().records.add(99,
                                 {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

TEST(CommitThread, SettlesABatchWhenItsRecordsCanBeReadBack) {
  JournalOnDisk disk;
  std::atomic<int> told{0};
  CommitFeed feed(disk.commit(), false, 0, [&told] { ++told; });
  disk.start();

  const auto offset = add(feed, "durable");
  EXPECT_EQ(feed.last_written(), 1u);
  queue::Locator at;
  JournalOnDisk::settle(feed, [&](const BatchPointer& batch) {
    EXPECT_FALSE(batch->failure);
    at = batch->records.at(offset);
  });

  EXPECT_EQ(feed.settled(), 1u);
  EXPECT_GE(told.load(), 1);
  EXPECT_GT(disk.commit().durable_end(), at);
  queue::JournalReader reader(disk.files(), disk.journal(), {});
  const auto record = reader.read(at);
  ASSERT_TRUE(record);
  EXPECT_EQ(std::string(record->payload.begin(), record->payload.end()), "durable");
}

TEST(CommitThread, SettlesBatchesOfOneProducerInOrder) {
  JournalOnDisk disk;
  CommitFeed feed(disk.commit(), false, 0, [] {});
  disk.start();
  std::uint64_t last = 0;
  const auto in_order = [&last](const BatchPointer& batch) { EXPECT_EQ(batch->number, ++last); };

  for (int i = 0; i < 500; ++i) {
    add(feed, std::to_string(i));
    feed.flush();
    feed.collect(in_order);
  }
  JournalOnDisk::settle(feed, in_order);

  EXPECT_EQ(last, feed.settled());
  EXPECT_GT(last, 0u);
}

TEST(CommitThread, KeepsTheLedgerOfManyProducersAtOnce) {
  JournalOnDisk disk;
  constexpr int kProducers = 3;
  constexpr std::uint64_t kBatches = 200;
  std::vector<std::unique_ptr<CommitFeed>> feeds;
  for (int i = 0; i < kProducers; ++i) {
    feeds.push_back(std::make_unique<CommitFeed>(disk.commit(), false, 0, [] {}));
  }
  disk.start();

  std::vector<std::thread> producers;
  for (const auto& feed : feeds) {
    producers.emplace_back([&feed = *feed] {
      for (std::uint64_t i = 0; i < kBatches; ++i) {
        add(feed, "a message");
        ++feed.open().accepted;
        ++feed.open().delta.accepted;
        feed.flush();
        feed.collect([](const BatchPointer&) {});
        std::this_thread::yield();
      }
      JournalOnDisk::settle(feed);
    });
  }
  for (std::thread& producer : producers) producer.join();

  const CommitSnapshot shot = disk.commit().snapshot();
  EXPECT_EQ(shot.ledger.accepted, kProducers * kBatches);
  EXPECT_EQ(shot.live, kProducers * kBatches);
  EXPECT_EQ(shot.imbalance(), 0);
}

TEST(CommitThread, HandsArrivalsToTheirShardOnlyWhenDurable) {
  JournalOnDisk disk;
  ArrivalLane& arrivals = disk.commit().add_shard([] {});
  CommitFeed feed(disk.commit(), true, 1, [] {});
  disk.start();

  const auto offset = add(feed, "for the shard");
  feed.open().arrivals[0].push_back({.record_offset = offset});
  EXPECT_EQ(arrivals.ring.size_hint(), 0u);
  JournalOnDisk::settle(feed);

  const auto batch = arrivals.ring.try_pop();
  ASSERT_TRUE(batch);
  EXPECT_FALSE((*batch)->records.base().is_nowhere());
  EXPECT_EQ(disk.commit().untaken_octets(), (*batch)->records.octets().size());
}

// A disk with room for so many octets and no more at once; the records go nowhere.
class FullDiskWriter final : public queue::JournalWriter {
 public:
  FullDiskWriter(std::size_t room, std::atomic<int>& refusals) : room_(room), refusals_(refusals) {}
  queue::result<void> commit(std::span<queue::RecordBatch* const> batches) override {
    std::size_t octets = 0;
    for (const queue::RecordBatch* batch : batches) octets += batch->octets().size();
    if (octets > room_) {
      ++refusals_;
      return std::unexpected(make_error_code(queue::JournalError::disk_full));
    }
    for (queue::RecordBatch* batch : batches) batch->set_base(queue::Locator(1, 64, 0));
    return {};
  }
  queue::result<void> commit_watermark() override { return {}; }
  [[nodiscard]] queue::Locator durable_end() const noexcept override { return {1, 128, 0}; }
  [[nodiscard]] queue::JournalStats stats() const noexcept override { return {}; }
  [[nodiscard]] std::uint64_t room_octets() const override { return room_; }
  queue::result<void> drop_before(std::uint32_t) override { return {}; }

 private:
  const std::size_t room_;
  std::atomic<int>& refusals_;
};

// A disk whose first sync takes as long as the test wants; the records go nowhere.
class SlowDiskWriter final : public queue::JournalWriter {
 public:
  struct Disk {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::size_t> commits;  // how many batches each took
    bool is_slow = true;

    void wait_for_commits(std::size_t count) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return commits.size() >= count; });
    }
    void be_quick() {
      const std::lock_guard lock(mutex);
      is_slow = false;
      changed.notify_all();
    }
  };
  explicit SlowDiskWriter(Disk& disk) : disk_(disk) {}
  queue::result<void> commit(std::span<queue::RecordBatch* const> batches) override {
    std::unique_lock lock(disk_.mutex);
    disk_.commits.push_back(batches.size());
    disk_.changed.notify_all();
    disk_.changed.wait(lock, [this] { return !disk_.is_slow; });
    for (queue::RecordBatch* batch : batches) batch->set_base(queue::Locator(1, 64, 0));
    return {};
  }
  queue::result<void> commit_watermark() override { return {}; }
  [[nodiscard]] queue::Locator durable_end() const noexcept override { return {1, 128, 0}; }
  [[nodiscard]] queue::JournalStats stats() const noexcept override { return {}; }
  [[nodiscard]] std::uint64_t room_octets() const override { return 1ull << 40; }
  queue::result<void> drop_before(std::uint32_t) override { return {}; }

 private:
  Disk& disk_;
};

TEST(CommitThread, CommitsALoneBatchAtOnceAndWhatComesMeanwhileTogether) {
  constexpr std::size_t kProducers = 5;
  SlowDiskWriter::Disk disk;
  CommitThread commit(
      {.delay = {}, .retention = {.age = std::chrono::hours(72), .octets = 1ull << 40}});
  std::vector<std::unique_ptr<CommitFeed>> feeds;
  for (std::size_t i = 0; i < kProducers; ++i) {
    feeds.push_back(std::make_unique<CommitFeed>(commit, false, 0, [] {}));
  }
  commit.adopt(std::make_unique<SlowDiskWriter>(disk));
  commit.start();

  add(*feeds.front(), "alone");
  feeds.front()->flush();
  disk.wait_for_commits(1);  // nobody else came, and it waited for nobody
  for (const auto& feed : feeds) {
    add(*feed, "while the disk is busy");
    feed->flush();
  }
  disk.be_quick();
  for (const auto& feed : feeds) JournalOnDisk::settle(*feed);
  commit.stop();

  EXPECT_EQ(disk.commits, (std::vector<std::size_t>{1, kProducers}));
}

// By the journal's own figures, on a real disk.
TEST(CommitThread, SyncsOnceForEachLoneBatchAndLessOftenUnderLoad) {
  JournalOnDisk disk;
  CommitFeed lone(disk.commit(), false, 0, [] {});
  CommitFeed busy(disk.commit(), false, 0, [] {});
  disk.start();
  const std::uint64_t before = disk.commit().snapshot().journal.commits;
  constexpr std::uint64_t kLone = 20;
  for (std::uint64_t i = 0; i < kLone; ++i) {
    add(lone, "alone");
    JournalOnDisk::settle(lone);
  }
  // A watermark in between is a commit too, and may come on a slow machine.
  const std::uint64_t after_lone = disk.commit().snapshot().journal.commits;
  EXPECT_GE(after_lone, before + kLone);

  constexpr std::uint64_t kBatches = 2000;
  for (std::uint64_t i = 0; i < kBatches; ++i) {
    add(busy, "one of many");
    busy.flush();
    busy.collect([](const BatchPointer&) {});
  }
  JournalOnDisk::settle(busy);
  const std::uint64_t under_load = disk.commit().snapshot().journal.commits - after_lone;
  EXPECT_LT(under_load, kBatches / 2) << "a sync serves several";
}

// Clients send again as soon as they are refused: with their batches beside it, it never fitted.
TEST(CommitThread, KeepsOutcomesOutOfWhatIsRefusedOnAFullDisk) {
  constexpr int kRefusalsEnough = 10;
  std::atomic<int> refusals{0};
  std::atomic<bool> goes_on{true};
  std::atomic<int> refused{0};
  CommitThread commit(
      {.delay = {}, .retention = {.age = std::chrono::hours(72), .octets = 1ull << 40}});
  CommitFeed* clients = nullptr;
  const std::string large(2000, 'x');
  CommitFeed ingress(commit, true, 0, [&] {  // after start() on the commit thread alone
    clients->collect([&](const BatchPointer& batch) {
      if (batch->failure == queue::JournalError::disk_full) ++refused;
    });
    if (!goes_on) return;
    add(*clients, large);
    clients->flush();
  });
  clients = &ingress;
  CommitFeed outcomes(commit, false, 0, [] {});
  commit.adopt(std::make_unique<FullDiskWriter>(1000, refusals));
  add(ingress, large);
  ingress.flush();
  add(outcomes, "an outcome");
  outcomes.flush();

  commit.start();
  bool is_durable = false;
  while (!outcomes.is_idle() && refusals < kRefusalsEnough) {
    outcomes.collect([&](const BatchPointer& batch) { is_durable = !batch->failure; });
    std::this_thread::yield();
  }
  goes_on = false;
  commit.stop();

  EXPECT_TRUE(is_durable) << "it fits alone";
  EXPECT_GE(refused, 1);
}

TEST(CommitThread, FindsTheFileOfASequence) {
  JournalOnDisk disk;
  CommitFeed feed(disk.commit(), false, 0, [] {});
  disk.start();
  for (std::uint64_t sequence = 1; sequence <= 200; ++sequence) {
    add(feed, std::string(60'000, 'x'));  // 12 MB: files of 4 MiB follow one another
    feed.open().delta.sequence_next = sequence + 1;
    JournalOnDisk::settle(feed);
  }

  EXPECT_EQ(disk.commit().file_of(1), 1u);
  EXPECT_GE(disk.commit().file_of(200), 2u);
  EXPECT_GT(disk.commit().octets_behind(queue::Locator(1, 64, 0)), 10u << 20);
  EXPECT_EQ(disk.commit().octets_behind(disk.commit().durable_end()), 0u);
}

TEST(CommitThread, BySizeAloneTheOldestFilesGoThatNoLiveMessageKeeps) {
  constexpr std::uint64_t kBound = 10u << 20;  // of files of 4 MiB; none is old
  constexpr int kManyRecords = 20'000;
  JournalOnDisk disk(stentor::test::make_temporary_directory(), std::chrono::hours(72), kBound);
  CommitFeed feed(disk.commit(), false, 0, [] {});
  disk.start();
  const auto oldest = [&] { return disk.commit().snapshot().oldest_file; };
  // Until `is_so`, or what would be 1.2 GB.
  const auto write_until = [&](const std::function<bool()>& is_so) {
    for (int i = 0; i < kManyRecords && !is_so(); ++i) {
      add(feed, std::string(60'000, 'x'));
      JournalOnDisk::settle(feed);
    }
    return is_so();
  };
  ASSERT_TRUE(write_until([&] { return oldest() >= 3; }));

  CommitBatch& accepting = feed.open();
  add(feed, "a message");
  ++accepting.accepted;
  ++accepting.delta.accepted;
  queue::Locator at;
  JournalOnDisk::settle(feed, [&](const BatchPointer& batch) { at = batch->records.base(); });
  ASSERT_TRUE(write_until([&] { return oldest() == at.file(); }));
  const auto files_written = [&] { return disk.commit().durable_end().file(); };
  ASSERT_TRUE(write_until([&] { return files_written() >= at.file() + 6; }));
  EXPECT_EQ(oldest(), at.file()) << "it lives there";
  EXPECT_GT(disk.commit().snapshot().journal.octets_on_disk, kBound);

  add(feed, "its end");
  feed.open().finish(at.file());
  ++feed.open().delta.delivered;
  ASSERT_TRUE(write_until([&] { return oldest() > at.file() + 3; }));
  // The bound, the file in use, and the one that is made ahead.
  ASSERT_TRUE(write_until(
      [&] { return disk.commit().snapshot().journal.octets_on_disk <= kBound + 2 * (4u << 20); }));
}

// What a process that began under a clock ten years ahead has left behind.
TEST(CommitThread, RetiresAFileOfAClockThatWasAheadByTheAgeItHasSinceTheStart) {
  constexpr std::uint64_t kTenYearsMs = 87'660ull * 3600 * 1000;
  JournalOnDisk disk(stentor::test::make_temporary_directory(), std::chrono::milliseconds(1));
  CommitFeed feed(disk.commit(), false, 0, [] {});
  disk.commit().restore(
      {}, {{0, FileUse{.last_ms = wall_clock_ms() + kTenYearsMs, .has_totals = true}}});
  disk.start();
  const std::uint64_t started = wall_clock_ms();
  while (wall_clock_ms() < started + 3) std::this_thread::yield();

  add(feed, "looks at files when it is durable");
  JournalOnDisk::settle(feed);
  add(feed, "tells which are left");
  JournalOnDisk::settle(feed);

  EXPECT_EQ(disk.commit().snapshot().oldest_file, 1u);
}

}  // namespace
}  // namespace stentor::daemon
