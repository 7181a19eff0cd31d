#include "daemon/recovery/live_table.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <vector>

#include "tests/queue/random_numbers.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::daemon {
namespace {

using queue::test::SimFileSystem;

constexpr std::uint64_t kFolderSeed = 7;

class LiveTableTest : public testing::Test {
 protected:
  static constexpr std::size_t kPieceOctets = LiveTable::kPieceEntries * sizeof(LiveTable::Entry);
  static constexpr std::size_t kPieces = 6;

  static void fill(LiveTable& table, std::uint64_t sequence) {
    LiveTable::Entry& entry = table.add(sequence);
    entry.at = queue::Locator(sequence + 1);
    entry.parts = 1;
  }
  static std::vector<std::uint64_t> all_of(LiveTable& table) {
    std::vector<std::uint64_t> found;
    table.take_all([&](std::uint64_t sequence, const LiveTable::Entry& entry) {
      EXPECT_EQ(entry.at.bits(), sequence + 1);
      found.push_back(sequence);
    });
    return found;
  }

  SimFileSystem files_{kFolderSeed};
  LiveTable::Spill to_disk_{.files = &files_, .folder = "/spill", .octets = kPieces * kPieceOctets};
};

TEST_F(LiveTableTest, KeepsNoMoreThanItsShareInMemoryAndShowsAllOfItInOrder) {
  LiveTable table(to_disk_);
  constexpr std::uint64_t kMessages = 100'000;
  for (std::uint64_t sequence = 1; sequence <= kMessages; ++sequence) {
    fill(table, sequence);
    ASSERT_LE(table.octets_in_memory(), kPieces * kPieceOctets) << sequence;
  }
  EXPECT_GT(table.octets_on_disk(), 80 * kPieceOctets);
  const auto found = all_of(table);
  ASSERT_EQ(found.size(), kMessages);
  for (std::uint64_t i = 0; i < kMessages; ++i) ASSERT_EQ(found[i], i + 1);
  EXPECT_EQ(table.octets_in_memory() + table.octets_on_disk(), 0u);
}

TEST_F(LiveTableTest, WithoutFilesAllStaysInMemory) {
  LiveTable table({});
  for (std::uint64_t piece = 0; piece < 20; ++piece) fill(table, piece * LiveTable::kPieceEntries);
  EXPECT_EQ(table.octets_in_memory(), 20 * kPieceOctets);
  EXPECT_EQ(all_of(table).size(), 20u);
}

TEST_F(LiveTableTest, APieceGoesWithItsLastMessageWhereverItLies) {
  LiveTable table(to_disk_);
  constexpr std::uint64_t kMessages = 40 * LiveTable::kPieceEntries;
  for (std::uint64_t sequence = 0; sequence < kMessages; ++sequence) fill(table, sequence);
  for (std::uint64_t sequence = 0; sequence < kMessages; ++sequence) {
    ASSERT_NE(table.find(sequence), nullptr);
    table.end(sequence, kMessages);
    ASSERT_EQ(table.find(sequence), nullptr);
  }
  EXPECT_EQ(table.octets_in_memory() + table.octets_on_disk(), 0u);
}

// What a carrier refuses and takes again comes from anywhere; what is accepted, from the end.
TEST_F(LiveTableTest, IsWhatAMapIsWhateverLiesOnDisk) {
  LiveTable table(to_disk_);
  std::map<std::uint64_t, std::uint8_t> model;
  constexpr std::uint64_t kSeed = 20261129;
  SCOPED_TRACE(kSeed);
  queue::test::RandomNumbers random(kSeed);
  std::uint64_t next = 1;
  std::size_t met_on_disk = 0;
  for (int step = 0; step < 200'000; ++step) {
    if (random.below(3) > 0) {
      fill(table, next);
      model[next++] = 0;
      continue;
    }
    const std::uint64_t sequence = 1 + random.below(next);
    LiveTable::Entry* entry = table.find(sequence);
    const auto known = model.find(sequence);
    ASSERT_EQ(entry != nullptr, known != model.end()) << "sequence " << sequence;
    if (entry == nullptr) continue;
    ASSERT_EQ(entry->attempts, known->second) << "sequence " << sequence;
    if (random.below(2) == 0) {
      table.end(sequence, next);
      model.erase(known);
    } else {
      known->second = ++entry->attempts;
    }
    if (table.octets_on_disk() > 0) ++met_on_disk;
  }
  EXPECT_GT(met_on_disk, 10'000u) << "the test tests what it says";
  auto expected = model.begin();
  table.take_all([&](std::uint64_t sequence, const LiveTable::Entry& entry) {
    ASSERT_NE(expected, model.end());
    EXPECT_EQ(sequence, expected->first);
    EXPECT_EQ(entry.attempts, expected->second);
    ++expected;
  });
  EXPECT_EQ(expected, model.end());
}

TEST_F(LiveTableTest, WhatTheDiskRefusesStaysInMemory) {
  LiveTable table(to_disk_);
  constexpr std::uint64_t kMessages = 40 * LiveTable::kPieceEntries;
  for (std::uint64_t sequence = 0; sequence < kMessages; ++sequence) {
    if (sequence == kMessages / 2) files_.plan(SimFileSystem::Fault::disk_full, 0);
    fill(table, sequence);
  }
  EXPECT_GT(table.octets_in_memory(), kPieces * kPieceOctets);
  EXPECT_EQ(all_of(table).size(), kMessages);
}

TEST_F(LiveTableTest, WhatCannotBeReadBackEndsTheStart) {
  LiveTable table(to_disk_);
  for (std::uint64_t sequence = 0; sequence < 40 * LiveTable::kPieceEntries; ++sequence) {
    fill(table, sequence);
  }
  files_.plan(SimFileSystem::Fault::crash, 0);
  (void)files_.open("/spill/anything", queue::FileSystem::Mode::create);
  ASSERT_TRUE(files_.has_crashed());
  EXPECT_THROW((void)table.find(0), std::runtime_error);
}

}  // namespace
}  // namespace stentor::daemon
