#include "daemon/history/history_index.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>

#include "daemon/records/records.h"
#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

TEST(IndexFile, FindsEveryEntryAndNothingElse) {
  const std::filesystem::path folder = JournalOnDisk::make_folder();
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
  const std::filesystem::path folder = JournalOnDisk::make_folder();
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

// A journal of several files, indexed while it grows and once more from what lies on disk.
TEST(HistoryIndex, FindsRecordsOfAMessageOverFilesAndRestarts) {
  JournalOnDisk disk;
  CommitFeed feed(disk.commit(), false, 0, [] {});  // producers come before the thread starts
  disk.start();
  FieldWriter subject_fields;
  FieldWriter fields;
  std::map<std::uint64_t, std::vector<std::uint64_t>> places;
  const std::string meta = "{\"x\":\"" + std::string(900, 'x') + "\"}";
  HistoryIndex index(disk.files(), disk.journal(), disk.folder() / "history");
  for (std::uint64_t round = 0; round < 40; ++round) {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> offsets;
    for (std::uint64_t i = 0; i < 200; ++i) {
      const std::uint64_t sequence = 1 + round / 2 * 200 + i;  // two records each
      Subject subject;
      subject.id = MessageId::make(1'790'000'000'000, 1, 0, sequence);
      subject.client = "crm";
      subject.to = "+79161234567";
      subject.carrier = "north";
      subject.meta = meta;
      subject_fields.clear();
      encode(subject, subject_fields);
      fields.clear();
      std::uint8_t kind = 0;
      if (round % 2 == 0) {
        Accepted accepted;
        accepted.subject = subject_fields.octets();
        encode(accepted, fields);
        kind = static_cast<std::uint8_t>(RecordKind::accepted);
      } else {
        const std::string id = "AB" + std::to_string(sequence);
        PartAnswered part;
        part.of.subject = subject_fields.octets();
        part.message_id = id;
        encode(part, fields);
        kind = static_cast<std::uint8_t>(RecordKind::part);
      }
      offsets.emplace_back(sequence, feed.open().records.add(kind, fields.octets()));
    }
    JournalOnDisk::settle(feed, [&](const BatchPointer& batch) {
      for (const auto& [sequence, offset] : offsets) {
        places[sequence].push_back(batch->records.at(offset).bits());
      }
    });
    while (!index.catch_up(disk.commit().durable_end(), 1000)) {
    }
  }
  const auto check = [&](HistoryIndex& checked) {
    for (const auto& [sequence, known] : places) {
      std::vector<std::uint64_t> found;
      for (const queue::Locator at : checked.find_sequence(sequence)) found.push_back(at.bits());
      ASSERT_EQ(found, known) << sequence;
    }
    EXPECT_TRUE(checked.find_sequence(places.size() + 1).empty());
    const auto newest = checked.find_name(index_key(IndexedName::to, "+79161234567"), 1);
    ASSERT_FALSE(newest.empty());
    EXPECT_EQ(newest.front().bits(), places.rbegin()->second.front());
    const auto by_id = checked.find_name(index_key(IndexedName::carrier_id, "ab7"), 10);
    ASSERT_EQ(by_id.size(), 1u);
    EXPECT_EQ(by_id[0].bits(), places[7][1]);
  };
  EXPECT_GE(index.files(), 1u) << "the journal should have grown over a file";
  check(index);

  HistoryIndex again(disk.files(), disk.journal(), disk.folder() / "history");
  EXPECT_EQ(again.files(), index.files());
  EXPECT_FALSE(again.catch_up(disk.commit().durable_end(), 1));
  while (!again.catch_up(disk.commit().durable_end(), 1000)) {
  }
  check(again);

  again.forget_before(1'000'000);
  EXPECT_TRUE(std::filesystem::is_empty(disk.folder() / "history"));
}

}  // namespace
}  // namespace stentor::daemon
