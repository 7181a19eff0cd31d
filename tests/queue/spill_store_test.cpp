#include "queue/spill_store.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/queue/random_numbers.h"
#include "tests/queue/sim_file_system.h"
#include "tests/queue/spill_at_once.h"

namespace stentor::queue::test {
namespace {

std::vector<std::uint8_t> octets(std::size_t size, std::uint8_t of) {
  return std::vector<std::uint8_t>(size, of);
}

struct SpillStoreTest : ::testing::Test {
  SimFileSystem files{1};
  SpillAtOnce io{files};
  SpillStore store{io, 4};
  std::vector<SpillStore::Tag> ready;

  void SetUp() override {
    store.set_on_ready([this](SpillStore::Tag tag) { ready.push_back(tag); });
  }
};

TEST_F(SpillStoreTest, GivesBackFromMemoryWhatIsNotWrittenYet) {
  const auto block = store.put(octets(100, 7));

  const auto taken = store.take(block);

  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, octets(100, 7));
  io.settle();
  EXPECT_EQ(store.stats().octets_in_memory, 0u);
  EXPECT_EQ(store.stats().octets_on_disk, 0u);
}

TEST_F(SpillStoreTest, HoldsNothingInMemoryOnceItIsWritten) {
  const auto block = store.put(octets(kSpillLargeOctets, 7));
  EXPECT_EQ(store.stats().octets_in_memory, kSpillLargeOctets);

  io.settle();

  EXPECT_EQ(store.stats().octets_in_memory, 0u);
  EXPECT_EQ(store.stats().octets_on_disk, kSpillLargeOctets);
  EXPECT_FALSE(store.take(block));
}

TEST_F(SpillStoreTest, SaysWhenAFetchedBlockIsHere) {
  const auto block = store.put(octets(50, 9));
  io.settle();

  store.fetch(block, 42);
  store.fetch(block, 43);
  EXPECT_FALSE(store.take(block));
  io.settle();

  EXPECT_EQ(ready, (std::vector<SpillStore::Tag>{43}));
  const auto taken = store.take(block);
  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, octets(50, 9));
  EXPECT_EQ(store.stats().octets_on_disk, 0u);
}

TEST_F(SpillStoreTest, GivesTheSpaceBackWhenNoBlockIsLeft) {
  std::vector<SpillStore::Block> blocks;
  for (std::uint8_t i = 0; i < 10; ++i) blocks.push_back(store.put(octets(kSpillSmallOctets, i)));
  io.settle();
  EXPECT_EQ(files.content("spill/4.spill").size(), 10 * kSpillSmallOctets);

  for (std::size_t i = 0; i + 1 < blocks.size(); ++i) store.drop(blocks[i]);
  io.settle();
  EXPECT_EQ(files.content("spill/4.spill").size(), 10 * kSpillSmallOctets);
  const auto again = store.put(octets(10, 1));
  io.settle();
  EXPECT_EQ(files.content("spill/4.spill").size(), 10 * kSpillSmallOctets) << "slots are reused";
  store.drop(blocks.back());
  store.drop(again);
  io.settle();

  EXPECT_EQ(files.content("spill/4.spill").size(), 0u);
}

TEST_F(SpillStoreTest, KeepsInMemoryWhatAFullDiskDoesNotTake) {
  files.set_capacity(0);
  const auto first = store.put(octets(3000, 1));
  io.settle();
  const auto second = store.put(octets(3000, 2));
  io.settle();
  EXPECT_TRUE(store.stats().is_failing);
  EXPECT_EQ(store.stats().failed_writes, 1u) << "the second is not even tried";
  EXPECT_EQ(store.stats().octets_in_memory, 6000u);
  EXPECT_EQ(*store.take(first), octets(3000, 1));

  files.set_capacity(1u << 20);
  store.retry();
  io.settle();

  EXPECT_FALSE(store.stats().is_failing);
  EXPECT_EQ(store.stats().octets_in_memory, 0u);
  store.fetch(second, 1);
  io.settle();
  EXPECT_EQ(*store.take(second), octets(3000, 2));
}

TEST_F(SpillStoreTest, DoesNotTakeDamagedOctetsForTickets) {
  const auto block = store.put(octets(64, 5));
  io.settle();
  const auto file = files.open("spill/4.spill", FileSystem::Mode::write).value();
  ASSERT_TRUE(file->write(10, octets(1, 6)));

  store.fetch(block, 1);
  io.settle();
  EXPECT_EQ(store.stats().failed_reads, 1u);
  EXPECT_TRUE(ready.empty());
  EXPECT_FALSE(store.take(block));

  ASSERT_TRUE(file->write(10, octets(1, 5)));
  store.retry();
  io.settle();
  EXPECT_EQ(ready.size(), 1u);
  EXPECT_EQ(*store.take(block), octets(64, 5));
}

TEST_F(SpillStoreTest, AgreesWithAMapWhateverFails) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomNumbers random(seed);
    std::map<SpillStore::Block, std::vector<std::uint8_t>> model;
    for (int step = 0; step < 2000; ++step) {
      const std::uint64_t deed = random.below(20);
      if (deed < 8) {
        const auto some = octets(1 + random.below(random.one_in(5) ? 20'000 : 4096),
                                 static_cast<std::uint8_t>(random.next()));
        ASSERT_TRUE(model.emplace(store.put(some), some).second) << "two blocks of one number";
      } else if (deed < 15 && !model.empty()) {
        const auto known =
            std::next(model.begin(), static_cast<std::ptrdiff_t>(random.below(model.size())));
        if (random.one_in(4)) {
          store.drop(known->first);
          model.erase(known);
        } else if (const auto taken = store.take(known->first)) {
          ASSERT_EQ(*taken, known->second);
          model.erase(known);
        } else {
          store.fetch(known->first, known->first);
        }
      } else if (deed == 15) {
        files.plan(random.one_in(2) ? SimFileSystem::Fault::disk_full : SimFileSystem::Fault::error,
                   random.below(4));
      } else if (deed == 16) {
        store.retry();
      } else {
        io.settle();
      }
    }
    files.unplan();
    while (!model.empty()) {
      store.retry();
      io.settle();
      std::erase_if(model, [this](const auto& known) {
        const auto taken = store.take(known.first);
        if (!taken) {
          store.fetch(known.first, 0);
          return false;
        }
        EXPECT_EQ(*taken, known.second);
        return true;
      });
    }
    io.settle();
    ASSERT_EQ(store.stats().octets_in_memory, 0u);
    ASSERT_EQ(store.stats().octets_on_disk, 0u);
  }
}

TEST(SpillFiles, OfAnEarlierProcessGo) {
  SimFileSystem files(1);
  {
    SpillAtOnce io(files);
    SpillStore store(io, 0);
    (void)store.put(octets(10, 1));
    io.settle();
    EXPECT_TRUE(files.exists("spill/0.spill"));
  }
  EXPECT_FALSE(files.exists("spill/0.spill")) << "removed in an orderly end";
  files.set_content("spill/3.spill", octets(10, 1));

  remove_spill_files(files, "spill");

  EXPECT_FALSE(files.exists("spill/3.spill"));
}

}  // namespace
}  // namespace stentor::queue::test
