#include "daemon/history/name_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>

#include "tests/daemon/journal_on_disk.h"
#include "tests/temporary_directory.h"

namespace stentor::daemon {
namespace {

/// Index files of a journal that is not there: what they say of names, and a plain list of it.
class NameRunsTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::uint64_t epoch_of(std::uint32_t file) { return 70 + file; }
  [[nodiscard]] std::filesystem::path path_of(std::uint32_t file) const {
    return folder_ / (std::to_string(file) + ".index");
  }
  /// The next `files` journal files are sealed, with a few hundred names each.
  void seal(std::uint32_t files) {
    for (std::uint32_t i = 0; i < files; ++i) {
      const std::uint32_t file = ++newest_;
      std::vector<IndexEntry> sequences;
      std::vector<IndexEntry> names;
      for (std::uint32_t offset = 1; offset <= 40 + random_() % 300; ++offset) {
        // One name is that of very many records: it goes over pages.
        const std::uint64_t key = random_() % 8 == 0 ? 42 : random_() % 2000 << 52;
        const std::uint64_t at = queue::Locator(file, 64, offset).bits();
        names.push_back({key, at});
        all_.push_back({key, at});
      }
      ASSERT_TRUE(IndexFile::write(*files_, path_of(file), file, epoch_of(file), sequences, names));
      open(file);
    }
  }
  void open(std::uint32_t file) {
    auto index = IndexFile::open(*files_, path_of(file), file, epoch_of(file));
    if (!index) FAIL() << "an index file just written does not open";
    sealed_.insert_or_assign(file, std::move(*index));
  }
  void restart() {
    runs_.emplace(*files_, folder_);
    sealed_.clear();
    for (std::uint32_t file = oldest_; file <= newest_; ++file) open(file);
    runs_->open(sealed_);
  }
  /// Until nothing is to be merged, some names at a time; how many steps that took.
  int merge() {
    int steps = 0;
    while (runs_->merge_some(sealed_, 1 + random_() % 5000)) ++steps;
    return steps;
  }
  void forget_before(std::uint32_t oldest) {
    oldest_ = oldest;
    runs_->forget_before(oldest);
    sealed_.erase(sealed_.begin(), sealed_.lower_bound(oldest));
    std::erase_if(
        all_, [&](const IndexEntry& entry) { return queue::Locator(entry.at).file() < oldest; });
  }
  std::vector<std::uint64_t> found(std::uint64_t key) {
    std::vector<std::uint64_t> places;
    tables_ = 0;
    runs_->visit(sealed_, key, [&](NameRuns::Places& some) {
      ++tables_;
      std::ranges::sort(some, std::ranges::greater{});
      places.insert(places.end(), some.begin(), some.end());
      some.clear();
      return false;
    });
    return places;
  }
  /// Of each name all places, the newest first, and of others none.
  void expect_all(const char* when) {
    std::map<std::uint64_t, std::vector<std::uint64_t>> known;
    for (const IndexEntry& entry : all_) known[entry.key].push_back(entry.at);
    for (std::uint64_t key = 0; key < 2001; ++key) {
      for (const std::uint64_t asked : {key << 52, std::uint64_t{42}}) {
        std::vector<std::uint64_t>& places = known[asked];
        std::ranges::sort(places, std::ranges::greater{});
        ASSERT_EQ(found(asked), places) << when << ", seed " << seed_ << ", key " << asked;
        if (key > 0) break;
      }
    }
  }
  [[nodiscard]] std::size_t on_disk(std::string_view ending) const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      count += entry.path().string().ends_with(ending) ? 1 : 0;
    }
    return count;
  }

  const std::filesystem::path folder_ = stentor::test::make_temporary_directory();
  const std::unique_ptr<queue::FileSystem> files_ =
      *queue::make_posix_file_system(queue::IoBackend::threads);
  const std::random_device::result_type seed_ = std::random_device{}();
  std::mt19937_64 random_{seed_};
  std::uint32_t oldest_ = 1;
  std::uint32_t newest_ = 0;
  SealedIndexes sealed_;
  std::vector<IndexEntry> all_;
  std::optional<NameRuns> runs_{std::in_place, *files_, folder_};
  std::size_t tables_ = 0;
};

TEST_F(NameRunsTest, SixteenNeighboursBecomeOneTableAndSixteenOfTheseAnother) {
  seal(15);
  EXPECT_EQ(merge(), 0);
  seal(1);
  EXPECT_GT(merge(), 0);
  expect_all("of sixteen");
  EXPECT_EQ(tables_, 1u);
  seal(239);
  merge();
  EXPECT_EQ(runs_->size(), 15u);
  (void)found(42);
  EXPECT_EQ(tables_, 15u + 15u);
  seal(1);
  merge();
  EXPECT_EQ(runs_->size(), 1u);
  seal(17);
  merge();
  expect_all("of 273");
  EXPECT_EQ(tables_, 1u + 1u + 1u);
  EXPECT_EQ(on_disk(".names"), 2u) << "what a run was made of is gone";

  restart();
  expect_all("after a restart");
  EXPECT_EQ(tables_, 3u);
  EXPECT_EQ(merge(), 0);
}

TEST_F(NameRunsTest, AllIsFoundAtAnyMomentOfAMergeAndAfterACrashInIt) {
  seal(20);
  ASSERT_TRUE(runs_->merge_some(sealed_, 100));
  EXPECT_EQ(on_disk(".making"), 1u);
  expect_all("in the middle");
  restart();
  EXPECT_EQ(on_disk(".making"), 0u);
  expect_all("after a crash");
  merge();
  expect_all("merged");
}

TEST_F(NameRunsTest, ARunGoesWithTheLastOfItsFilesAndTellsNothingOfThoseThatWent) {
  seal(40);
  merge();
  forget_before(9);
  expect_all("half of a run is gone");
  restart();
  expect_all("after a restart");
  forget_before(17);
  EXPECT_EQ(on_disk(".names"), 1u);
  expect_all("its last is gone");
  seal(8);
  ASSERT_TRUE(runs_->merge_some(sealed_, 1));
  forget_before(36);  // some that are being merged
  EXPECT_EQ(on_disk(".making"), 0u);
  expect_all("without what was being merged");
}

TEST_F(NameRunsTest, ARunThatHasBegunToGoIsMergedNoMore) {
  seal(15 * 16);
  merge();
  forget_before(5);
  seal(16);
  EXPECT_GT(merge(), 0);
  EXPECT_EQ(runs_->size(), 16u);
  expect_all("with one that goes");
  seal(16);
  merge();
  EXPECT_EQ(runs_->size(), 2u) << "the sixteen behind it are one";
  expect_all("the others merged");
}

TEST_F(NameRunsTest, ARunThatDoesNotVerifyIsMadeAgain) {
  seal(16);
  merge();
  const auto path = folder_ / "00000001-00000016.names";
  for (const std::uintmax_t at : {0u, 12u, 24u, 40u, 60u}) {
    std::fstream flip(path, std::ios::in | std::ios::out | std::ios::binary);
    flip.seekg(static_cast<std::streamoff>(at));
    const char octet = static_cast<char>(flip.get() ^ 0x10);
    flip.seekp(static_cast<std::streamoff>(at));
    flip.put(octet);
    flip.close();
    restart();
    EXPECT_FALSE(std::filesystem::exists(path)) << at;
    expect_all("without a run");
    EXPECT_GT(merge(), 0);
    expect_all("made again");
  }
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  restart();
  EXPECT_EQ(runs_->size(), 0u);
}

TEST_F(NameRunsTest, ARunOfAnotherJournalIsNone) {
  seal(16);
  merge();
  const auto other = NameSpan{.from = 1, .to = 16, .epoch = epoch_of(16) + 1};
  EXPECT_FALSE(NameRun::open(*files_, folder_, other));
  EXPECT_TRUE(NameRun::open(*files_, folder_, {.from = 1, .to = 16, .epoch = epoch_of(16)}));
}

TEST_F(NameRunsTest, WhatCannotBeWrittenIsTriedAgainAWhileLater) {
  seal(16);
  std::filesystem::create_directory(folder_ / "00000001-00000016.names.making");
  std::ofstream(folder_ / "00000001-00000016.names.making" / "in-the-way").put('x');
  EXPECT_FALSE(runs_->merge_some(sealed_, 1000));
  expect_all("unmerged");
  std::filesystem::remove_all(folder_ / "00000001-00000016.names.making");
  int calls = 0;
  while (!runs_->merge_some(sealed_, 100'000)) ASSERT_LT(++calls, 1000);
  EXPECT_GT(calls, 1);
  merge();
  expect_all("merged");
}

}  // namespace
}  // namespace stentor::daemon
