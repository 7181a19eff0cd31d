#include "daemon/history/history_index.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <span>

#include "daemon/records/records.h"
#include "tests/daemon/journal_on_disk.h"
#include "tests/temporary_directory.h"

namespace stentor::daemon {
namespace {

TEST(IndexFile, FindsEveryEntryAndNothingElse) {
  const std::filesystem::path folder = stentor::test::make_temporary_directory();
  auto files = *queue::make_posix_file_system(queue::IoBackend::threads);
  const auto seed = std::random_device{}();
  std::mt19937_64 random(seed);
  std::vector<IndexEntry> sequences;
  std::vector<IndexEntry> names;
  std::multimap<std::uint64_t, std::uint64_t> by_sequence;
  std::multimap<std::uint64_t, std::uint64_t> by_name;
  for (std::uint64_t i = 1; i <= 20'000; ++i) {
    const std::uint64_t sequence = 1'000'000 + random() % 5000 + random() % 2 * 1'000'000;
    // Some names are those of thousands of records: they go over many pages.
    const std::uint64_t name = random() % 4 == 0 ? 42 : random() % 3000 * 0x9E3779B97F4A7C15;
    sequences.push_back({sequence, i});
    names.push_back({name, i});
    by_sequence.emplace(sequence, i);
    by_name.emplace(name, i);
  }
  ASSERT_TRUE(IndexFile::write(*files, folder / "1.index", 1, 77, sequences, names));
  auto opened = IndexFile::open(*files, folder / "1.index", 1, 77);
  if (!opened) FAIL() << "the file just written does not open";
  IndexFile& index = *opened;
  const auto expect = [&](const auto& model, std::uint64_t key, const auto& found) {
    std::vector<std::uint64_t> known;
    const auto [begin, end] = model.equal_range(key);
    for (auto each = begin; each != end; ++each) known.push_back(each->second);
    ASSERT_EQ(found, known) << "seed " << seed << ", key " << key;
  };
  for (std::uint64_t sequence = 999'990; sequence < 1'005'010; ++sequence) {
    std::vector<std::uint64_t> found;
    index.find_sequence(sequence, found);
    expect(by_sequence, sequence, found);
  }
  for (std::uint64_t i = 0; i < 3010; ++i) {
    for (const std::uint64_t key : {i * 0x9E3779B97F4A7C15, std::uint64_t{42}}) {
      std::vector<std::uint64_t> found;
      index.find_name(key, found);
      expect(by_name, key, found);
      if (i > 0) break;
    }
  }
  std::filesystem::remove_all(folder);
}

TEST(IndexFile, OneOfAnotherJournalOrSpoiltIsNone) {
  const std::filesystem::path folder = stentor::test::make_temporary_directory();
  const auto path = folder / "1.index";
  auto files = *queue::make_posix_file_system(queue::IoBackend::threads);
  std::vector<IndexEntry> sequences{{1, 1}, {2, 2}};
  std::vector<IndexEntry> names{{9, 1}};
  ASSERT_TRUE(IndexFile::write(*files, path, 1, 77, sequences, names));
  EXPECT_TRUE(IndexFile::open(*files, path, 1, 77));
  EXPECT_FALSE(IndexFile::open(*files, path, 2, 77));
  EXPECT_FALSE(IndexFile::open(*files, path, 1, 78));
  const auto size = std::filesystem::file_size(path);
  for (std::uintmax_t cut = 0; cut < size; cut += 7) {
    std::filesystem::copy_file(path, folder / "cut",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(folder / "cut", cut);
    EXPECT_FALSE(IndexFile::open(*files, folder / "cut", 1, 77)) << cut;
  }
  for (std::uintmax_t at = 0; at < 64; ++at) {
    std::filesystem::copy_file(path, folder / "flip",
                               std::filesystem::copy_options::overwrite_existing);
    std::fstream flip(folder / "flip", std::ios::in | std::ios::out | std::ios::binary);
    flip.seekg(static_cast<std::streamoff>(at));
    const char octet = static_cast<char>(flip.get() ^ 0x10);
    flip.seekp(static_cast<std::streamoff>(at));
    flip.put(octet);
    flip.close();
    EXPECT_FALSE(IndexFile::open(*files, folder / "flip", 1, 77)) << at;
  }
  std::filesystem::remove_all(folder);
}

TEST(IndexFile, TellsOneFromTheFutureFromASpoiltOne) {
  const std::filesystem::path folder = stentor::test::make_temporary_directory();
  const auto path = folder / "1.index";
  auto files = *queue::make_posix_file_system(queue::IoBackend::threads);
  std::vector<IndexEntry> sequences{{1, 1}};
  std::vector<IndexEntry> names;
  ASSERT_TRUE(IndexFile::write(*files, path, 1, 77, sequences, names));
  const auto open_as = [&](std::uint32_t version) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8);
    file.write(reinterpret_cast<const char*>(&version), sizeof version);
    file.close();
    return IndexFile::open(*files, path, 1, 77);
  };
  EXPECT_EQ(open_as(2).error(), queue::JournalError::newer_version);
  EXPECT_EQ(open_as(0).error(), queue::JournalError::damaged);
  EXPECT_TRUE(open_as(1));
  std::filesystem::remove_all(folder);
}

// A journal of small files whose messages have two records each: accepted, then a part.
class JournalOfMessages : public testing::Test {
 protected:
  void SetUp() override {
    feed_.emplace(disk_.commit(), false, 0, [] {});  // producers come before the thread starts
    disk_.start();
  }

  // 200 messages are accepted, or those of the round before get their part.
  void write_round() {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> offsets;
    for (std::uint64_t i = 0; i < 200; ++i) {
      const std::uint64_t sequence = 1 + round_ / 2 * 200 + i;
      offsets.emplace_back(sequence, round_ % 2 == 0 ? add_accepted(sequence) : add_part(sequence));
    }
    ++round_;
    JournalOnDisk::settle(*feed_, [&](const BatchPointer& batch) {
      for (const auto& [sequence, offset] : offsets) {
        places_[sequence].push_back(batch->records.at(offset).bits());
      }
    });
  }

  std::uint32_t add_accepted(std::uint64_t sequence) {
    Accepted accepted;
    accepted.subject = encode_subject(sequence);
    fields_.clear();
    encode(accepted, fields_);
    return feed_->open().records.add(static_cast<std::uint8_t>(RecordKind::accepted),
                                     fields_.octets());
  }

  std::uint32_t add_part(std::uint64_t sequence) {
    const std::string id = "AB" + std::to_string(sequence);
    PartAnswered part;
    part.of.subject = encode_subject(sequence);
    part.message_id = id;
    fields_.clear();
    encode(part, fields_);
    return feed_->open().records.add(static_cast<std::uint8_t>(RecordKind::part), fields_.octets());
  }

  std::span<const std::uint8_t> encode_subject(std::uint64_t sequence) {
    Subject subject;
    subject.id = MessageId::make(1'790'000'000'000, 1, 0, sequence);
    subject.client = "crm";
    subject.to = "+79161234567";
    subject.carrier = "north";
    subject.meta = meta_;
    subject_fields_.clear();
    encode(subject, subject_fields_);
    return subject_fields_.octets();
  }

  std::filesystem::path folder() const { return disk_.folder() / "history"; }
  std::uint32_t newest_file() { return disk_.commit().durable_end().file(); }

  void catch_up(HistoryIndex& index) {
    while (!index.catch_up(disk_.commit().durable_end(), 1000)) {
    }
  }

  void expect_all_found(HistoryIndex& index) {
    for (const auto& [sequence, known] : places_) {
      std::vector<std::uint64_t> found;
      for (const queue::Locator at : index.find_sequence(sequence)) found.push_back(at.bits());
      ASSERT_EQ(found, known) << sequence;
    }
    EXPECT_TRUE(index.find_sequence(places_.size() + 1).empty());
    const auto newest = index.find_name(index_key(IndexedName::to, "+79161234567"), 1);
    ASSERT_FALSE(newest.empty());
    EXPECT_EQ(newest.front().bits(), places_.rbegin()->second.front());
    const auto by_id = index.find_name(index_key(IndexedName::carrier_id, "ab7"), 10);
    ASSERT_EQ(by_id.size(), 1u);
    EXPECT_EQ(by_id[0].bits(), places_[7][1]);
  }

  JournalOnDisk disk_;
  std::optional<CommitFeed> feed_;
  FieldWriter subject_fields_;
  FieldWriter fields_;
  const std::string meta_ = "{\"x\":\"" + std::string(900, 'x') + "\"}";
  std::map<std::uint64_t, std::vector<std::uint64_t>> places_;  // sequence -> its records
  std::uint64_t round_ = 0;
};

TEST_F(JournalOfMessages, IsIndexedWhileItGrowsAndAfterARestart) {
  HistoryIndex index(disk_.files(), disk_.journal(), folder());
  for (int i = 0; i < 40; ++i) {
    write_round();
    catch_up(index);
  }
  EXPECT_GE(index.files(), 1u) << "the journal should have grown over a file";
  expect_all_found(index);

  HistoryIndex again(disk_.files(), disk_.journal(), folder());
  EXPECT_EQ(again.files(), index.files());
  EXPECT_FALSE(again.catch_up(disk_.commit().durable_end(), 1));
  catch_up(again);
  expect_all_found(again);
  EXPECT_FALSE(again.met_newer());

  const auto first = std::filesystem::directory_iterator(folder())->path();
  std::fstream(first, std::ios::in | std::ios::out | std::ios::binary).seekp(8).put(2);
  HistoryIndex stepped_back(disk_.files(), disk_.journal(), folder());
  EXPECT_LT(stepped_back.files(), index.files());
  if (!stepped_back.met_newer()) FAIL() << "an index from the future was met";
  EXPECT_EQ(to_string(*stepped_back.met_newer()),
            first.filename().string() + ": format 2, while this program knows up to 1");
  catch_up(stepped_back);
  expect_all_found(stepped_back);

  again.forget_before(1'000'000);
  EXPECT_TRUE(std::filesystem::is_empty(folder()));
}

TEST_F(JournalOfMessages, IsFoundWhereItsIndexCannotBeWritten) {
  {
    std::ofstream in_the_way(folder());
  }  // a file where the folder should be
  HistoryIndex index(disk_.files(), disk_.journal(), folder());
  while (newest_file() < 3) {
    write_round();
    catch_up(index);
  }
  EXPECT_EQ(index.files(), 0u);
  expect_all_found(index);

  index.seal();
  EXPECT_EQ(index.files(), 0u);
  std::filesystem::remove(folder());
  std::filesystem::create_directory(folder());
  index.seal();
  EXPECT_EQ(index.files(), 2u) << "all but the file that is written";
  expect_all_found(index);
}

TEST_F(JournalOfMessages, BoundsWhatStaysInMemoryAndGoesOnWhenItCanBeWritten) {
  {
    std::ofstream in_the_way(folder());
  }
  HistoryIndex index(disk_.files(), disk_.journal(), folder());
  while (newest_file() < HistoryIndex::kGatheredMax + 2) {
    write_round();
    catch_up(index);
  }
  EXPECT_TRUE(index.find_sequence(places_.rbegin()->first).empty()) << "it follows no further";
  EXPECT_FALSE(index.find_sequence(1).empty());
  std::filesystem::remove(folder());
  std::filesystem::create_directory(folder());
  catch_up(index);
  EXPECT_EQ(index.files(), HistoryIndex::kGatheredMax + 1);
  expect_all_found(index);
}

}  // namespace
}  // namespace stentor::daemon
