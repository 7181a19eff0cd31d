#include "daemon/references/reference_index.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "daemon/records/records.h"
#include "queue/journal_format.h"
#include "tests/queue/journal_on_sim.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::daemon {
namespace {

const std::filesystem::path kFolder = "/references";
const std::filesystem::path kJournal = "/journal";
constexpr std::uint64_t kNow = 1'790'000'000'000;
constexpr std::uint64_t kGuardMs = 86'400'000;

std::optional<ReferencePlace> found(ReferenceIndex& index, std::uint64_t key) {
  const auto place = index.find(key);
  EXPECT_TRUE(place) << place.error().message();
  return place ? *place : std::nullopt;
}

TEST(ReferenceIndex, FindsPendingThenDurablePlaces) {
  ReferenceIndex index(1);
  const auto key = index.key_of("crm", "o-1");
  EXPECT_FALSE(found(index, key));

  index.put_pending(key, 12, 345);
  const auto pending = found(index, key);
  if (!pending) FAIL() << "pending";
  EXPECT_TRUE(pending->durable.is_nowhere());
  EXPECT_EQ(pending->batch, 12u);
  EXPECT_EQ(pending->record_offset, 345u);

  index.put_durable(key, queue::Locator(3, 640, 9), kNow);
  const auto durable = found(index, key);
  if (!durable) FAIL() << "durable";
  EXPECT_EQ(durable->durable, queue::Locator(3, 640, 9));
  EXPECT_EQ(index.size(), 1u);
}

TEST(ReferenceIndex, ForgetsAPendingOneThatFailed) {
  ReferenceIndex index(1);
  const auto key = index.key_of("crm", "o-1");
  index.put_pending(key, 12, 345);

  index.drop(key);

  EXPECT_FALSE(found(index, key));
  EXPECT_EQ(index.size(), 0u);
}

TEST(ReferenceIndex, TellsClientsApart) {
  const ReferenceIndex index(1);
  EXPECT_NE(index.key_of("crm", "o-1"), index.key_of("shop", "o-1"));
  EXPECT_NE(index.key_of("ab", "c"), index.key_of("a", "bc"));
}

TEST(ReferenceIndex, ForgetsAllThatIsOlderInAsManyCallsAsItHasMaps) {
  ReferenceIndex index(1);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    index.put_durable(index.key_of("crm", std::to_string(i)), queue::Locator(1 + i % 2, 64, 0),
                      kNow);
  }

  for (int i = 0; i < 256; ++i) index.tend(queue::Locator(2, 0, 0), kNow);

  EXPECT_EQ(index.size(), 1000u);
  EXPECT_FALSE(found(index, index.key_of("crm", "0")));
  EXPECT_TRUE(found(index, index.key_of("crm", "1")));
}

// A folder of runs on the simulated disk, and places that stand for a journal.
class ReferenceRuns : public testing::Test {
 protected:
  static constexpr std::size_t kTable = 250;

  void SetUp() override { ASSERT_TRUE(files_.make_directory(kJournal)); }

  void open(std::uint64_t filter_octets_max = 1u << 20, std::uint64_t now_ms = UINT64_MAX) {
    index_.reset();
    auto opened = ReferenceIndex::open(files_, kFolder, kJournal,
                                       {.seed = next_seed_++,
                                        .guard_ms = kGuardMs,
                                        .entries_max = kTable,
                                        .filter_octets_max = filter_octets_max,
                                        .now_ms = now_ms,
                                        .run_entries_max = run_entries_max_});
    ASSERT_TRUE(opened) << opened.error().message();
    index_ = std::move(*opened);
    index_->set_on_trouble([this](const std::string& what) { troubles_.push_back(what); });
  }
  static queue::Locator place(std::uint64_t number) {
    return {1, queue::kFirstBlock, static_cast<std::uint32_t>(number * 10)};
  }
  std::uint64_t key(std::uint64_t number) const {
    return index_->key_of("crm", std::to_string(number));
  }
  void put(std::uint64_t from, std::uint64_t to, std::uint64_t time_ms = kNow) {
    for (std::uint64_t i = from; i < to; ++i) {
      index_->put_durable(key(i), place(i), time_ms);
      if (i % kTable == 0) index_->settle();
    }
    index_->settle();
  }
  void restore(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) index_->restore(key(i), place(i), kNow);
    index_->settle();
  }
  void expect_all(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) {
      const auto at = found(*index_, key(i));
      if (!at) FAIL() << "forgotten: " << i;
      ASSERT_EQ(at->durable, place(i));
    }
  }
  std::vector<std::string> run_files() {
    std::vector<std::string> runs;
    const auto names = files_.list(kFolder).value();
    for (const std::string& name : names) {
      if (ReferenceSpan::of_file_name(name)) runs.push_back(name);
    }
    return runs;
  }
  void spoil(const std::string& name, std::size_t at) {
    auto octets = files_.content(kFolder / name);
    octets[at] ^= 0x10;
    files_.set_content(kFolder / name, octets);
  }

  queue::test::SimFileSystem files_{7};
  std::uint64_t next_seed_ = 1;
  std::uint64_t run_entries_max_ = kRunEntriesMax;
  std::vector<std::string> troubles_;
  std::unique_ptr<ReferenceIndex> index_;
};

TEST_F(ReferenceRuns, AFullTableBecomesARunAndAllStaysKnown) {
  open();
  put(0, 5500);

  EXPECT_GE(index_->runs(), 5u);
  EXPECT_LT(index_->memory_octets(), 2 * kTable * ReferenceTable::kOctetsPerEntry);
  expect_all(0, 5500);
  for (std::uint64_t i = 10'000; i < 11'000; ++i) EXPECT_FALSE(found(*index_, key(i)));
}

TEST_F(ReferenceRuns, AreReadInPlaceWhereMemoryHasNoRoomForTheirFilters) {
  open(0);
  put(0, 3000);

  EXPECT_GE(index_->runs(), 2u);
  expect_all(0, 3000);
  EXPECT_FALSE(found(*index_, key(10'000)));
}

TEST_F(ReferenceRuns, AreThereAfterARestartAndTakeNoneTwice) {
  open();
  put(0, 3001);
  const std::size_t runs = index_->runs();
  const queue::Locator durable = index_->durable_to();
  open();

  EXPECT_EQ(index_->durable_to(), durable);
  restore(0, 3001);

  EXPECT_EQ(index_->runs(), runs);
  EXPECT_EQ(index_->size(), 3001u);
  expect_all(0, 3001);
}

TEST_F(ReferenceRuns, OneThatIsLostIsMadeAgainFromWhatIsRestored) {
  open();
  put(0, 5000);
  const auto names = run_files();
  ASSERT_GE(names.size(), 4u);
  ASSERT_TRUE(files_.remove(kFolder / names[1]));
  spoil(names[2], 3);
  open();
  restore(0, 5000);
  expect_all(0, 5000);

  open();  // and is now on disk
  EXPECT_EQ(index_->durable_to().bits(), ReferenceSpan::of_file_name(run_files().back())->to);
  restore(0, 5000);
  expect_all(0, 5000);
}

TEST_F(ReferenceRuns, EightNeighboursBecomeOne) {
  open();
  put(0, 9000);
  const std::size_t before = index_->runs();
  ASSERT_GE(before, 8u);

  index_->tend({}, kNow);
  index_->settle();

  EXPECT_EQ(index_->runs(), before - 7);
  EXPECT_EQ(run_files().size(), index_->runs());
  expect_all(0, 9000);
  const queue::Locator durable = index_->durable_to();
  open();
  EXPECT_EQ(index_->durable_to(), durable);
}

TEST_F(ReferenceRuns, AreNotMergedIntoOneWhoseFilterWouldNotFitIntoMemory) {
  run_entries_max_ = 7 * kTable;
  open();
  put(0, 9000);
  const std::size_t before = index_->runs();
  ASSERT_GE(before, 8u);

  index_->tend({}, kNow);
  index_->settle();

  EXPECT_EQ(index_->runs(), before - 6) << "seven became one, not eight";
  expect_all(0, 9000);
}

TEST_F(ReferenceRuns, ThatAreLargeAlreadyStayAsTheyAre) {
  run_entries_max_ = 2 * kTable - 1;
  open();
  put(0, 9000);
  const std::size_t before = index_->runs();

  index_->tend({}, kNow);
  index_->settle();

  EXPECT_EQ(index_->runs(), before);
  expect_all(0, 9000);
}

TEST_F(ReferenceRuns, ThoseThatOutliveTheGuardGoWhole) {
  open();
  put(0, kTable + 1, kNow);
  put(kTable + 1, 2 * kTable + 2, kNow + 1000);
  ASSERT_EQ(index_->runs(), 2u);

  index_->tend({}, kNow + kGuardMs + 500);
  index_->settle();

  EXPECT_EQ(index_->runs(), 1u);
  EXPECT_EQ(run_files().size(), 1u);
  EXPECT_FALSE(found(*index_, key(1)));
  EXPECT_TRUE(found(*index_, key(kTable + 1)));
}

TEST_F(ReferenceRuns, ThoseOfAClockThatWasAheadCountFromTheStartThatFindsThem) {
  open();
  put(0, 2001, kNow + 100 * kGuardMs);
  ASSERT_GE(index_->runs(), 2u);
  open(1u << 20, kNow);
  restore(0, 2001);

  index_->tend({}, kNow + kGuardMs - 1);
  index_->settle();
  expect_all(0, 2001);

  for (int i = 0; i < 3; ++i) {  // what was being merged goes at the next turn
    index_->tend({}, kNow + kGuardMs + 1);
    index_->settle();
  }
  EXPECT_EQ(index_->runs(), 0u);
  EXPECT_EQ(run_files().size(), 0u);
}

TEST_F(ReferenceRuns, WhatIsRestoredWithADateAheadCountsFromThatStart) {
  open(1u << 20, kNow);
  for (std::uint64_t i = 0; i < 2001; ++i) {
    index_->restore(key(i), place(i), kNow + 100 * kGuardMs);
  }
  index_->settle();
  ASSERT_GE(index_->runs(), 2u);

  for (int i = 0; i < 3; ++i) {
    index_->tend({}, kNow + kGuardMs + 1);
    index_->settle();
  }

  EXPECT_EQ(index_->runs(), 0u);
}

TEST_F(ReferenceRuns, OneThatCannotBeWrittenStaysInMemoryAndIsWrittenLater) {
  open();
  files_.set_capacity(0);
  put(0, 1500);
  EXPECT_EQ(index_->runs(), 0u);
  EXPECT_EQ(troubles_.size(), 1u);
  expect_all(0, 1500);

  files_.set_capacity(1u << 30);
  index_->tend({}, kNow);
  index_->settle();

  EXPECT_EQ(index_->runs(), 1u);
  expect_all(0, 1500);
}

TEST_F(ReferenceRuns, BelongToOneProcess) {
  open();
  const auto second = ReferenceIndex::open(files_, kFolder, kJournal, {.entries_max = kTable});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), queue::JournalError::locked);
}

TEST_F(ReferenceRuns, SurviveACrashAtEveryStepOfWritingAndMerging) {
  open();
  const std::uint64_t before = files_.operations();
  put(0, 2300);
  index_->tend({}, kNow);
  index_->settle();
  const std::uint64_t steps = files_.operations() - before;
  for (std::uint64_t at = 0; at < steps; ++at) {
    SCOPED_TRACE(at);
    index_.reset();
    for (const std::string& name : run_files()) ASSERT_TRUE(files_.remove(kFolder / name));
    ASSERT_TRUE(files_.sync_directory(kFolder));
    open();
    files_.plan(queue::test::SimFileSystem::Fault::crash, at);
    put(0, 2300);
    index_->tend({}, kNow);
    index_->settle();
    index_.reset();
    files_.unplan();
    files_.lose_power();
    open();
    restore(0, 2300);  // what the journal says is there whatever the runs have
    expect_all(0, 2300);
  }
}

// Runs over a real journal, that can be made again from it.
class ReferenceRunsOfJournal : public testing::Test {
 protected:
  static constexpr std::uint64_t kMessages = 3000;

  void SetUp() override {
    sim_.file_octets = 1u << 20;
    writer_ = sim_.open();
    auto opened = ReferenceIndex::open(
        files_, kFolder, kJournal,
        {.seed = 5, .guard_ms = kGuardMs, .entries_max = 1000, .filter_octets_max = 1u << 20});
    ASSERT_TRUE(opened) << opened.error().message();
    index_ = std::move(*opened);
    for (std::uint64_t i = 0; i < kMessages; i += 100) accept(i, i + 100);
    index_->settle();
    ASSERT_GE(index_->runs(), 2u);
  }
  void accept(std::uint64_t from, std::uint64_t to) {
    queue::RecordBatch batch;
    std::vector<std::uint32_t> offsets;
    for (std::uint64_t i = from; i < to; ++i) {
      const std::string ref = std::to_string(i);
      Subject subject;
      subject.id = MessageId::make(kNow, 1, 0, i);
      subject.client = "crm";
      subject.ref = ref;
      FieldWriter subject_fields;
      encode(subject, subject_fields);
      Accepted accepted;
      accepted.subject = subject_fields.octets();
      accepted.owns_ref = true;
      FieldWriter fields;
      encode(accepted, fields);
      offsets.push_back(
          batch.add(static_cast<std::uint8_t>(RecordKind::accepted), fields.octets()));
    }
    queue::RecordBatch* const batches[] = {&batch};
    ASSERT_TRUE(writer_->commit(batches));
    for (std::uint64_t i = from; i < to; ++i) {
      places_.push_back(batch.at(offsets[i - from]));
      index_->put_durable(index_->key_of("crm", std::to_string(i)), places_.back(), kNow);
    }
    index_->settle();
  }
  void expect_all() {
    for (std::uint64_t i = 0; i < kMessages; ++i) {
      const auto at = found(*index_, index_->key_of("crm", std::to_string(i)));
      if (!at) FAIL() << "forgotten: " << i;
      ASSERT_EQ(at->durable, places_[i]);
    }
  }
  std::string first_run() {
    const auto names = files_.list(kFolder).value();
    for (const std::string& name : names) {
      if (ReferenceSpan::of_file_name(name)) return name;
    }
    return "";
  }

  queue::test::JournalOnSim sim_;
  queue::test::SimFileSystem& files_ = sim_.files;
  std::unique_ptr<queue::JournalWriter> writer_;
  std::unique_ptr<ReferenceIndex> index_;
  std::vector<queue::Locator> places_;
};

TEST_F(ReferenceRunsOfJournal, OneThatIsDamagedMeanwhileSaysSoAndIsMadeAgain) {
  auto file = files_.open(kFolder / first_run(), queue::FileSystem::Mode::write);
  ASSERT_TRUE(file);
  const std::array<std::uint8_t, 4> spoilt{1, 2, 3, 4};
  ASSERT_TRUE((*file)->write(4096 + 100, spoilt));  // in the first page of entries

  std::size_t unknown = 0;
  for (std::uint64_t i = 0; i < kMessages; ++i) {
    if (!index_->find(index_->key_of("crm", std::to_string(i)))) ++unknown;
  }
  EXPECT_GT(unknown, 0u);
  EXPECT_FALSE(index_->find(index_->key_of("crm", "never seen")));

  index_->tend({}, kNow);
  index_->settle();

  expect_all();
}

TEST_F(ReferenceRunsOfJournal, WhatIsMissingAtAStartIsReadFromTheJournal) {
  const queue::Locator until = index_->durable_to();
  index_.reset();
  while (!first_run().empty()) ASSERT_TRUE(files_.remove(kFolder / first_run()));
  auto opened = ReferenceIndex::open(
      files_, kFolder, kJournal,
      {.seed = 6, .guard_ms = kGuardMs, .entries_max = 1000, .filter_octets_max = 1u << 20});
  ASSERT_TRUE(opened);
  index_ = std::move(*opened);

  ASSERT_TRUE(index_->rebuild_missing(queue::Locator(1, queue::kFirstBlock, 0), until));
  for (std::uint64_t i = 0; i < kMessages; ++i) {
    index_->restore(index_->key_of("crm", std::to_string(i)), places_[i], kNow);
  }

  EXPECT_EQ(index_->size(), kMessages);
  expect_all();
}

}  // namespace
}  // namespace stentor::daemon
