#include "daemon/references/reference_run.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <span>

#include "daemon/references/reference_index.h"
#include "queue/checksum.h"
#include "tests/queue/random_numbers.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::daemon {
namespace {

const std::filesystem::path kRuns = "/references";
constexpr ReferenceSpan kSpan{.from = 10, .to = 5'000'000, .earliest_ms = 1, .latest_ms = 2};

class ReferenceRunTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.make_directory(kRuns));
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      entries_.push_back({.key = i * 0x3'0000'0001ull << 8, .at = 10 + i});
    }
    auto writer = ReferenceRunWriter::start(files_, kRuns, kSpan, 42, entries_.size());
    ASSERT_TRUE(writer);
    for (const ReferenceEntry& entry : entries_) ASSERT_TRUE(writer->add(entry));
    ASSERT_TRUE(writer->finish());
  }

  queue::test::SimFileSystem files_{1};
  std::vector<ReferenceEntry> entries_;
};

TEST_F(ReferenceRunTest, FindsWhatItHoldsAndNothingElse) {
  auto run = ReferenceRun::open(files_, kRuns, kSpan);
  ASSERT_TRUE(run) << run.error().message();
  EXPECT_EQ(run->entries(), entries_.size());
  EXPECT_EQ(run->seed(), 42u);
  EXPECT_EQ(run->span().latest_ms, 2u);
  for (const bool in_memory : {false, true}) {
    ASSERT_TRUE(run->keep_filter(in_memory));
    for (const ReferenceEntry& entry : entries_) {
      const auto at = run->find(entry.key);
      ASSERT_TRUE(at && *at);
      ASSERT_EQ((*at)->bits(), entry.at);
      const auto other = run->find(entry.key + 1);
      ASSERT_TRUE(other);
      ASSERT_FALSE(*other);
    }
  }
}

TEST_F(ReferenceRunTest, AFlippedBitAnywhereIsNoticedByWhoReadsIt) {
  const auto whole = files_.content(kRuns / kSpan.file_name());
  queue::test::RandomNumbers random(3);
  for (int i = 0; i < 200; ++i) {
    auto octets = whole;
    const std::size_t at = random.below(octets.size());
    SCOPED_TRACE(at);
    octets[at] ^= static_cast<std::uint8_t>(1u << random.below(8));
    files_.set_content(kRuns / kSpan.file_name(), octets);
    auto run = ReferenceRun::open(files_, kRuns, kSpan);
    bool is_noticed = !run || !run->keep_filter(true);
    std::vector<ReferenceEntry> page;
    for (std::uint64_t number = 0; !is_noticed && number < run->pages(); ++number) {
      is_noticed = !run->load(number, page);
    }
    EXPECT_TRUE(is_noticed);
  }
}

// The page's check is right: what is wrong with it is only that it comes from the future.
void write_version(queue::test::SimFileSystem& files, std::uint32_t version) {
  auto octets = files.content(kRuns / kSpan.file_name());
  std::memcpy(octets.data() + 8, &version, sizeof version);
  constexpr std::size_t kCheckAt = 4092;
  const std::array<std::uint8_t, 8> first_page{};
  const std::uint32_t check =
      queue::crc32c(std::span(octets).first(kCheckAt), queue::crc32c(first_page));
  std::memcpy(octets.data() + kCheckAt, &check, sizeof check);
  files.set_content(kRuns / kSpan.file_name(), octets);
}

TEST_F(ReferenceRunTest, TellsAFileFromTheFutureFromADamagedOne) {
  write_version(files_, 2);
  EXPECT_EQ(ReferenceRun::open(files_, kRuns, kSpan).error(), queue::JournalError::newer_version);
  write_version(files_, 0);
  EXPECT_EQ(ReferenceRun::open(files_, kRuns, kSpan).error(), queue::JournalError::damaged);
  write_version(files_, 1);
  EXPECT_TRUE(ReferenceRun::open(files_, kRuns, kSpan));
}

TEST_F(ReferenceRunTest, OfTheFutureIsNamedAndMakesWayForItsRebuilding) {
  write_version(files_, 2);

  const auto index = ReferenceIndex::open(files_, kRuns, "/journal", {.seed = 7});

  ASSERT_TRUE(index) << index.error().message();
  EXPECT_EQ((*index)->runs(), 0u);
  if (!(*index)->met_newer()) FAIL() << "it was met";
  EXPECT_EQ(to_string(*(*index)->met_newer()),
            kSpan.file_name() + ": format 2, while this program knows up to 1");
  EXPECT_FALSE(files_.open(kRuns / kSpan.file_name(), queue::FileSystem::Mode::read));
  const auto again = ReferenceIndex::open(files_, kRuns, "/journal", {.seed = 7});
  EXPECT_FALSE(again) << "the first has it locked";
}

TEST(ReferenceFilter, SaysPerhapsToOneStrangerInAHundredAtMost) {
  constexpr std::uint64_t kKeys = 100'000;
  queue::test::RandomNumbers random(9);
  ReferenceFilter filter(ReferenceFilter::blocks_for(kKeys));
  std::vector<std::uint64_t> keys;
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    keys.push_back(random.next());
    filter.add(keys.back());
  }
  for (const std::uint64_t key : keys) ASSERT_TRUE(filter.may_hold(key));
  std::uint64_t perhaps = 0;
  for (std::uint64_t i = 0; i < kKeys; ++i) perhaps += filter.may_hold(random.next()) ? 1 : 0;
  EXPECT_LT(perhaps, kKeys / 100);
}

}  // namespace
}  // namespace stentor::daemon
