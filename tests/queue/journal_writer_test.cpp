#include "queue/journal_writer.h"

#include <gtest/gtest.h>

#include "queue/journal_format.h"
#include "tests/queue/journal_on_sim.h"

namespace stentor::queue::test {
namespace {

using enum SimFileSystem::Fault;

TEST(JournalWriter, WritesTheFileOfTheBook) {
  JournalOnSim journal;
  journal.epochs = 0x0123456789abcdee;  // the next one is the example's
  journal.first_word = 42;
  journal.files.make_directory(kJournal).value();
  auto writer = JournalWriter::start(journal.files,
                                     {.directory = kJournal,
                                      .file_octets = 4096,
                                      .prepares_in_background = false,
                                      .make_epoch = [] { return 0x0123456789abcdef; }},
                                     {},
                                     [] {
                                       JournalWriter::Preamble preamble;
                                       preamble.first_word = 42;
                                       preamble.records.add(1, octets_of("abc"));
                                       preamble.records.add(2, octets_of("xyz"));
                                       return preamble;
                                     })
                    .value();
  writer->commit_watermark().value();

  // docs/journal.md, "A file, octet by octet".
  const Octets book{
      // clang-format off
      0x53, 0x54, 0x45, 0x4e, 0x54, 0x4f, 0x52, 0x4a, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
      0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x17, 0x22, 0x12, 0xde,
      0x53, 0x54, 0x4a, 0x42, 0x01, 0x00, 0x00, 0x00, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
      0x2a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x1e, 0x92, 0xf9, 0x10, 0x00, 0x00, 0x00, 0x00, 0x16, 0xd3, 0x5a, 0x38,
      0x01, 0x03, 0x61, 0x62, 0x63, 0x02, 0x03, 0x78, 0x79, 0x7a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x53, 0x54, 0x4a, 0x42, 0x02, 0x00, 0x00, 0x00, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x16, 0xd3, 0x5a, 0x38, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x90, 0xcf, 0x1a, 0x5a,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      // clang-format on
  };
  Octets written = journal.files.content(journal.path(1));
  ASSERT_EQ(written.size(), 4096u);
  written.resize(book.size());
  EXPECT_EQ(written, book);
}

TEST(JournalWriter, TellsEachBatchWhereItLies) {
  JournalOnSim journal;
  const auto writer = journal.open();
  RecordBatch first;
  RecordBatch empty;
  RecordBatch second;
  first.add(kKind, octets_of("one"));
  second.add(kKind, octets_of("two"));
  RecordBatch* const batches[] = {&first, &empty, &second};

  writer->commit(batches).value();

  EXPECT_EQ(first.base(), Locator(1, 128, 0)) << "behind the preamble's block";
  EXPECT_EQ(second.base(), Locator(1, 128, 5)) << "in the same block";
  EXPECT_TRUE(empty.base().is_nowhere());
  EXPECT_EQ(writer->durable_end(), Locator(1, 192, 0));
  EXPECT_EQ(writer->stats().commits, 1u);
}

TEST(JournalWriter, SplitsWhatDoesNotFitOneBlock) {
  JournalOnSim journal;
  journal.file_octets = 16u << 20;
  const auto writer = journal.open();
  std::vector<RecordBatch> batches(5);
  std::vector<RecordBatch*> pointers;
  for (RecordBatch& batch : batches) {
    while (batch.octets().size() + kRecordOctetsMax + 4 < kBatchOctetsMax) {
      batch.add(kKind, Octets(kRecordOctetsMax, 'x'));
    }
    batch.add(kKind, Octets(kRecordOctetsMax - 64, 'y'));
    pointers.push_back(&batch);
  }

  writer->commit(pointers).value();

  EXPECT_EQ(batches[3].base().block(), 128u);
  EXPECT_GT(batches[4].base().block(), 128u);
  EXPECT_EQ(batches[4].base().record(), 0u);
  writer->commit_watermark().value();
  journal.restart();
  ASSERT_TRUE(journal.recover());
  EXPECT_EQ(journal.visited.texts.size(), 40u);
  EXPECT_EQ(journal.visited.places.back(),
            batches[4].at(static_cast<std::uint32_t>(batches[4].octets().size() -
                                                     (kRecordOctetsMax - 64) - 4)));
}

TEST(JournalWriter, RefusesABatchThatFitsNoBlock) {
  JournalOnSim journal;
  const auto writer = journal.open();
  RecordBatch batch;
  for (int i = 0; i < 33; ++i) batch.add(kKind, Octets(kRecordOctetsMax));
  RecordBatch* const batches[] = {&batch};

  const auto committed = writer->commit(batches);

  EXPECT_EQ(committed.error(), JournalError::too_large);
  EXPECT_TRUE(commit_one(*writer, "goes on"));
}

TEST(JournalWriter, GoesOnInTheNextFileWhenOneIsFull) {
  JournalOnSim journal;
  journal.file_octets = 512;  // header, preamble, watermark, and five blocks of one step
  const auto writer = journal.open();

  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(commit_one(*writer, "a")->file(), 1u);
  }
  EXPECT_EQ(commit_one(*writer, "b"), Locator(2, 128, 0));

  EXPECT_EQ(writer->stats().files, 2u);
  EXPECT_EQ(journal.files.content(journal.path(1)).size(), 448u) << "what it did not use is freed";
  EXPECT_TRUE(journal.files.exists(journal.path(3))) << "made ahead";
}

TEST(JournalWriter, GivesACommitLargerThanAFileAFileOfItsOwn) {
  JournalOnSim journal;
  journal.file_octets = 1024;
  const auto writer = journal.open();
  ASSERT_TRUE(commit_one(*writer, "small"));

  const auto large = commit_one(*writer, std::string(5000, 'x'));
  const auto after = commit_one(*writer, std::string(900, 'y'));

  EXPECT_EQ(large, Locator(2, 128, 0));
  EXPECT_EQ(after->file(), 3u);
}

TEST(JournalWriter, WritesAWatermarkOnlyWhenThereIsSomethingToWitness) {
  JournalOnSim journal;
  const auto writer = journal.open();
  ASSERT_TRUE(commit_one(*writer, "a"));

  writer->commit_watermark().value();
  const Locator after_first = writer->durable_end();
  writer->commit_watermark().value();

  EXPECT_EQ(after_first, Locator(1, 256, 0));
  EXPECT_EQ(writer->durable_end(), after_first);
}

TEST(JournalWriter, HasRoomForAWatermarkInAFullFile) {
  JournalOnSim journal;
  journal.file_octets = 512;
  const auto writer = journal.open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(commit_one(*writer, "a"));

  writer->commit_watermark().value();

  EXPECT_EQ(writer->durable_end(), Locator(1, 512, 0));
}

TEST(JournalWriter, IsPoisonedByAFailedSync) {
  JournalOnSim journal;
  const auto writer = journal.open();
  journal.files.plan(error, 1);  // the write is 0

  const auto failed = commit_one(*writer, "lost?");

  EXPECT_EQ(failed.error(), std::errc::io_error);
  EXPECT_EQ(commit_one(*writer, "next").error(), JournalError::poisoned);
  EXPECT_EQ(writer->commit_watermark().error(), JournalError::poisoned);
}

TEST(JournalWriter, IsPoisonedByAFailedWrite) {
  JournalOnSim journal;
  const auto writer = journal.open();
  journal.files.plan(error, 0);

  EXPECT_EQ(commit_one(*writer, "lost").error(), std::errc::io_error);
  EXPECT_EQ(commit_one(*writer, "next").error(), JournalError::poisoned);
}

TEST(JournalWriter, RefusesWhenTheDiskIsFullAndGoesOnWhenItIsNot) {
  JournalOnSim journal;
  journal.file_octets = 1024;
  const auto writer = journal.open();
  journal.files.set_capacity(0);
  std::size_t accepted = 0;
  result<Locator> committed;
  while ((committed = commit_one(*writer, std::string(100, 'x')))) ++accepted;
  EXPECT_EQ(committed.error(), JournalError::disk_full);
  EXPECT_EQ(committed.error(), std::errc::no_space_on_device);
  EXPECT_GT(accepted, 5u) << "what was prepared is used up first";
  EXPECT_LT(writer->room_octets(), 256u);

  journal.files.set_capacity(1u << 20);

  EXPECT_TRUE(writer->commit_watermark()) << "asks for the next file again";
  EXPECT_GT(writer->room_octets(), 256u);
  EXPECT_TRUE(commit_one(*writer, std::string(500, 'x')));
}

TEST(JournalWriter, KeepsTheFreeSpaceItIsToldTo) {
  JournalOnSim journal;
  journal.file_octets = 4096;
  journal.free_octets_min = 10'000;
  journal.files.set_capacity(4096 + 4096 + 4096 + 10'000);
  const auto writer = journal.open();

  while (commit_one(*writer, std::string(100, 'x'))) {
  }

  EXPECT_GE(journal.files.free_octets(kJournal).value(), 10'000u);
  EXPECT_GE(writer->stats().files, 2u);
}

TEST(JournalWriter, StartsOnAFullDiskDownToTheReserve) {
  JournalOnSim journal;
  journal.file_octets = 4096;
  journal.free_octets_min = 1u << 30;
  journal.files.set_capacity(20'000);

  const auto writer = journal.open();

  EXPECT_TRUE(commit_one(*writer, "an outcome"));
}

TEST(JournalWriter, DropsOldFilesButNeverItsOwn) {
  JournalOnSim journal;
  journal.file_octets = 512;
  const auto writer = journal.open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(commit_one(*writer, "a"));
  ASSERT_EQ(writer->durable_end().file(), 4u);

  writer->drop_before(3).value();
  EXPECT_FALSE(journal.files.exists(journal.path(1)));
  EXPECT_FALSE(journal.files.exists(journal.path(2)));
  EXPECT_TRUE(journal.files.exists(journal.path(3)));

  writer->drop_before(99).value();
  EXPECT_FALSE(journal.files.exists(journal.path(3)));
  EXPECT_TRUE(journal.files.exists(journal.path(4)));
  EXPECT_EQ(writer->stats().octets_on_disk, 512u);
}

TEST(JournalWriter, OffersAFileAgainThatCouldNotBeRemoved) {
  JournalOnSim journal;
  journal.file_octets = 512;
  const auto writer = journal.open();
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(commit_one(*writer, "a"));
  journal.files.plan(error, 0);
  writer->drop_before(2).value();
  EXPECT_TRUE(journal.files.exists(journal.path(1)));

  const auto told = writer->drop_before(2);

  EXPECT_EQ(told.error(), std::errc::io_error);
  EXPECT_FALSE(journal.files.exists(journal.path(1)));
}

TEST(JournalWriter, StartsSmallAndGrowsUnderLoad) {
  JournalOnSim journal;
  journal.file_octets = 128u << 20;
  const auto writer = journal.open();
  EXPECT_EQ(journal.files.content(journal.path(1)).size(), 4u << 20);

  const std::string large(kRecordOctetsMax, 'x');
  while (writer->durable_end().file() < 3) ASSERT_TRUE(commit_one(*writer, large));

  EXPECT_EQ(journal.files.content(journal.path(3)).size(), 16u << 20);
}

TEST(JournalWriter, StaysSmallWithoutLoad) {
  JournalOnSim journal;
  journal.file_octets = 128u << 20;
  const auto writer = journal.open();

  while (writer->durable_end().file() < 4) ASSERT_TRUE(commit_one(*writer, std::string(400, 'x')));

  EXPECT_EQ(journal.files.content(journal.path(4)).size(), 4u << 20);
}

TEST(JournalWriter, MakesLargeFilesWithoutLoadOnceAnEighthOfTheNumbersIsUsed) {
  JournalOnSim journal;
  journal.file_octets = 128u << 20;
  journal.files.make_directory(kJournal).value();
  const std::uint32_t begun = kFileNumberMax / 8;
  const auto writer = journal.start({.file = begun - 1}).value();

  while (writer->durable_end().file() < begun + 1) {
    ASSERT_TRUE(commit_one(*writer, std::string(100'000, 'x')));
  }

  EXPECT_EQ(journal.files.content(journal.path_in(file_name(begun + 1))).size(), 4u << 20)
      << "begun before the second file was";
  EXPECT_EQ(journal.files.content(journal.path_in(file_name(begun + 2))).size(), 16u << 20);
}

TEST(JournalWriter, FillsTheLastFileThereCanBeAndSaysThatNoNumberIsLeft) {
  JournalOnSim journal;
  journal.file_octets = 64u << 20;
  journal.files.make_directory(kJournal).value();
  const auto writer = journal.start({.file = kFileNumberMax - 1}).value();
  RecordBatch large;
  while (large.octets().size() + kRecordOctetsMax + 4 < kPayloadOctetsMax) {
    large.add(kKind, Octets(kRecordOctetsMax, 'x'));
  }
  RecordBatch* const batches[] = {&large};
  result<void> committed;
  std::uint64_t commits = 0;
  while ((committed = writer->commit(batches))) ++commits;

  EXPECT_EQ(committed.error(), JournalError::numbers_used_up);
  EXPECT_GT(commits * large.octets().size(), 240u << 20) << "the last file grows as far as it may";
  EXPECT_EQ(writer->stats().file, kFileNumberMax);
  EXPECT_TRUE(commit_one(*writer, "smaller")) << "what still fits is taken";
  EXPECT_TRUE(writer->commit_watermark());
}

TEST(JournalWriter, DoesNotStartBehindTheLastNumber) {
  JournalOnSim journal;
  journal.files.make_directory(kJournal).value();

  const auto writer = journal.start({.file = kFileNumberMax});

  ASSERT_FALSE(writer.has_value());
  EXPECT_EQ(writer.error(), JournalError::numbers_used_up);
}

}  // namespace
}  // namespace stentor::queue::test
