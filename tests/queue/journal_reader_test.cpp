#include "queue/journal_reader.h"

#include <gtest/gtest.h>

#include "queue/journal_format.h"
#include "queue/verified_blocks.h"
#include "tests/queue/journal_on_sim.h"

namespace stentor::queue::test {
namespace {

std::shared_ptr<RecordBatch> commit(JournalWriter& writer, const std::vector<std::string>& texts) {
  auto batch = std::make_shared<RecordBatch>();
  for (const std::string& text : texts) batch->add(kKind, octets_of(text));
  RecordBatch* const batches[] = {batch.get()};
  writer.commit(batches).value();
  return batch;
}

std::vector<std::string> read_onward(JournalReader& reader, Locator& position, Locator end) {
  std::vector<std::string> texts;
  while (true) {
    const auto record = reader.next(position, end);
    EXPECT_TRUE(record) << record.error().message();
    if (!record || !*record) return texts;
    texts.push_back(text_of((*record)->payload));
  }
}

TEST(JournalReader, ReadsARecordFromMemoryWhileItIsRemembered) {
  JournalOnSim journal;
  const auto writer = journal.open();
  JournalReader reader(journal.files, kJournal, {});
  const auto batch = commit(*writer, {"one", "two"});
  reader.remember(batch);

  const auto record = reader.read(batch->at(5));

  ASSERT_TRUE(record);
  EXPECT_EQ(text_of(record->payload), "two");
  EXPECT_EQ(record->at, batch->at(5));
  EXPECT_EQ(reader.stats().from_memory, 1u);
  EXPECT_EQ(reader.stats().blocks_read, 0u);
}

TEST(JournalReader, ReadsFromDiskWhatMemoryHasLetGo) {
  JournalOnSim journal;
  const auto writer = journal.open();
  JournalReader reader(journal.files, kJournal, {.recent_octets_max = 10});
  const auto first = commit(*writer, {"one", "two"});
  const auto second = commit(*writer, {"three"});
  reader.remember(first);
  reader.remember(second);

  EXPECT_EQ(text_of(reader.read(first->at(5))->payload), "two");
  EXPECT_EQ(text_of(reader.read(first->at(0))->payload), "one");
  EXPECT_EQ(text_of(reader.read(second->at(0))->payload), "three");

  EXPECT_EQ(reader.stats().from_memory, 1u);
  EXPECT_EQ(reader.stats().blocks_read, 1u) << "a block is verified once";
}

TEST(JournalReader, KnowsAPlaceWhereNoRecordBegins) {
  JournalOnSim journal;
  const auto writer = journal.open();
  const auto batch = commit(*writer, {"one", "two"});
  JournalReader reader(journal.files, kJournal, {});
  const std::uint32_t block = batch->base().block();

  for (const Locator wrong :
       {Locator(), Locator(1, 0, 0), Locator(1, block, 1), Locator(1, block, 10),
        Locator(1, block, 4'000'000), Locator(1, block + 64, 0), Locator(1, kFileOctetsUsable, 0),
        Locator(2, block, 0), Locator(77, 64, 0), Locator(~std::uint64_t{0})}) {
    EXPECT_EQ(reader.read(wrong).error(), JournalError::no_such_record) << wrong.bits();
  }
}

TEST(JournalReader, ReadsOnwardAcrossBlocksAndFilesUpToTheEnd) {
  JournalOnSim journal;
  journal.file_octets = 512;
  const auto writer = journal.open();
  std::vector<std::string> texts;
  Locator middle;
  for (int i = 0; i < 20; ++i) {
    texts.push_back(std::to_string(i));
    const Locator at = commit_one(*writer, texts.back()).value();
    if (i == 7) middle = at;
  }
  JournalReader reader(journal.files, kJournal, {});
  Locator position;

  EXPECT_EQ(read_onward(reader, position, middle),
            std::vector<std::string>(texts.begin(), texts.begin() + 7));
  EXPECT_EQ(read_onward(reader, position, writer->durable_end()),
            std::vector<std::string>(texts.begin() + 7, texts.end()));
  EXPECT_EQ(position, writer->durable_end());

  commit_one(*writer, "new").value();
  EXPECT_EQ(read_onward(reader, position, writer->durable_end()), std::vector<std::string>{"new"});
  EXPECT_EQ(reader.stats().blocks_bad, 0u);
}

TEST(JournalReader, StartsAtAnyRecordOfABlock) {
  JournalOnSim journal;
  const auto writer = journal.open();
  const auto batch = commit(*writer, {"one", "two", "three"});
  JournalReader reader(journal.files, kJournal, {});

  Locator position = batch->at(5);
  EXPECT_EQ(read_onward(reader, position, writer->durable_end()),
            (std::vector<std::string>{"two", "three"}));
  position = batch->at(6);
  EXPECT_EQ(read_onward(reader, position, writer->durable_end()),
            std::vector<std::string>{"three"});
}

TEST(JournalReader, GoesOnAtTheOldestFileWhenItsOwnIsGone) {
  JournalOnSim journal;
  journal.file_octets = 512;
  const auto writer = journal.open();
  for (int i = 0; i < 20; ++i) commit_one(*writer, std::to_string(i)).value();
  JournalReader reader(journal.files, kJournal, {.blocks_octets_max = 1});
  Locator position;
  ASSERT_EQ(text_of(reader.next(position, writer->durable_end()).value()->payload), "0");

  writer->drop_before(3).value();
  reader.forget_before(3);

  EXPECT_EQ(reader.oldest().value(), Locator(3, 64, 0));
  EXPECT_EQ(text_of(reader.next(position, writer->durable_end()).value()->payload), "10");
  EXPECT_EQ(reader.read(Locator(1, 192, 0)).error(), JournalError::no_such_record);
}

// Blocks of some 26 KiB, of which the cache holds one.
class JournalReaderAlone : public testing::Test {
 protected:
  void SetUp() override {
    journal_.file_octets = 8u << 20;
    writer_ = journal_.open();
    for (int block = 0; block < 3; ++block) {
      std::vector<std::string> texts;
      for (int i = 0; i < 200; ++i) {
        texts.push_back(std::to_string(block) + "." + std::to_string(i) + std::string(128, 'x'));
      }
      texts[7].append(5000, 'y');
      batches_.push_back(commit(*writer_, texts));
      std::uint32_t offset = 0;
      for (std::string& text : texts) {
        places_.push_back(batches_.back()->at(offset));
        offset += 1 + (text.size() < 128 ? 1 : 2) + static_cast<std::uint32_t>(text.size());
        texts_.push_back(std::move(text));
      }
    }
  }
  std::string read_known(std::size_t which) {
    const auto record = reader_.read_known(places_[which]);
    EXPECT_TRUE(record) << which;
    if (!record) return {};
    EXPECT_EQ(record->at, places_[which]);
    return text_of(record->payload);
  }
  JournalOnSim journal_;
  std::unique_ptr<JournalWriter> writer_;
  std::vector<std::shared_ptr<RecordBatch>> batches_;
  std::vector<Locator> places_;
  std::vector<std::string> texts_;
  JournalReader reader_{journal_.files, kJournal, {.blocks_octets_max = 40'000}};
};

TEST_F(JournalReaderAlone, OfABlockVerifiedBeforeOnlyTheRecordIsReadAgain) {
  for (const std::size_t which : {3u, 203u, 403u, 4u, 7u, 204u, 199u}) {
    EXPECT_EQ(read_known(which), texts_[which]);
  }
  EXPECT_EQ(reader_.stats().blocks_read, 3u);
  EXPECT_EQ(reader_.stats().read_alone, 4u);
}

TEST_F(JournalReaderAlone, WhoAsksForManyOfABlockGetsItWhole) {
  EXPECT_EQ(read_known(0), texts_[0]);
  EXPECT_EQ(read_known(200), texts_[200]);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(read_known(i), texts_[i]);
  EXPECT_EQ(reader_.stats().read_alone, VerifiedBlocks::kAloneMax);
  EXPECT_EQ(reader_.stats().blocks_read, 3u);
}

TEST_F(JournalReaderAlone, ABlockThatWasNeverReadIsVerifiedFirst) {
  Octets octets = journal_.files.content(journal_.path(1));
  octets[places_[203].block() + 3000] ^= 1;
  journal_.files.set_content(journal_.path(1), octets);

  EXPECT_EQ(reader_.read_known(places_[203]).error(), JournalError::no_such_record);
  EXPECT_EQ(read_known(3), texts_[3]);
}

// A disk may go bad after the block was verified: then nothing passes for the record, wherever in
// it the damage lies.
TEST_F(JournalReaderAlone, WhatHasGoneBadSinceIsNotBelieved) {
  for (const std::size_t which : {0u, 7u, 120u, 199u}) {
    JournalReader reader(journal_.files, kJournal, {.blocks_octets_max = 4096});
    EXPECT_EQ(text_of(reader.read_known(places_[which])->payload), texts_[which]);
    EXPECT_EQ(text_of(reader.read_known(places_[200])->payload), texts_[200]);
    // In the midst of its text: its kind and length stay as they were.
    const std::uint64_t spot =
        places_[which].block() + kBlockHeaderOctets + places_[which].record() + 60u;
    const std::uint8_t good = journal_.files.content(journal_.path(1)).at(spot);
    const auto file = journal_.files.open(journal_.path(1), FileSystem::Mode::write);
    ASSERT_TRUE((*file)->write(spot, Octets{static_cast<std::uint8_t>(good ^ 1)}));
    const auto read = reader.read_known(places_[which]);
    EXPECT_TRUE(!read || text_of(read->payload) == texts_[which]) << which;
    EXPECT_EQ(reader.stats().read_alone, 0u) << which;
    ASSERT_TRUE((*file)->write(spot, Octets{good}));
  }
}

TEST_F(JournalReaderAlone, WhatWasJustCommittedComesFromMemory) {
  reader_.remember(batches_[2]);
  EXPECT_EQ(read_known(403), texts_[403]);
  EXPECT_EQ(reader_.stats().from_memory, 1u);
}

TEST(JournalReader, ReadsABlockLargerThanItsCache) {
  JournalOnSim journal;
  journal.file_octets = 8u << 20;
  const auto writer = journal.open();
  const auto batch = commit(*writer, std::vector<std::string>(8, std::string(130'000, 'x')));
  JournalReader reader(journal.files, kJournal, {.blocks_octets_max = 4096});

  EXPECT_EQ(reader.read(batch->base())->payload.size(), 130'000u);
  Locator position;
  EXPECT_EQ(read_onward(reader, position, writer->durable_end()).size(), 8u);
}

TEST(JournalReader, PassesOverABlockThatDoesNotVerify) {
  JournalOnSim journal;
  const auto writer = journal.open();
  const Locator bad = commit_one(*writer, "bad").value();
  commit_one(*writer, "good").value();
  Octets octets = journal.files.content(journal.path(1));
  octets[bad.block() + 50] ^= 1;
  journal.files.set_content(journal.path(1), octets);
  JournalReader reader(journal.files, kJournal, {});
  Locator position;

  EXPECT_EQ(reader.read(bad).error(), JournalError::no_such_record);
  EXPECT_EQ(read_onward(reader, position, writer->durable_end()), std::vector<std::string>{"good"});
  EXPECT_EQ(reader.stats().blocks_bad, 1u);
  EXPECT_EQ(reader.passed_over(), 1u);
}

// A cursor, a consumer's place, the end of an index: noted when the stretch was still good.
TEST(JournalReader, PassesASalvagedStretchFromWhereverInItAPlaceWasNoted) {
  JournalOnSim journal;
  std::vector<Locator> places;
  {
    const auto writer = journal.open();
    for (const char* text : {"a", "b", "c", "d", "e"}) {
      places.push_back(commit_one(*writer, text).value());
    }
  }
  journal.restart();
  Octets octets = journal.files.content(journal.path(1));
  octets.at(places[1].block() + kBlockHeaderOctets) ^= 0x10;
  // The disk has put an older block into the place of "c": good by itself, and not what was there.
  std::copy_n(octets.begin() + places[0].block(), places[1].block() - places[0].block(),
              octets.begin() + places[2].block());
  journal.files.set_content(journal.path(1), octets);
  ASSERT_TRUE(journal.recover({.salvage = true}));
  ASSERT_EQ(journal.visited.texts, (std::vector<std::string>{"a", "d", "e"}));

  for (std::uint32_t at = places[1].block(); at < places[3].block(); at += kBlockAlignOctets) {
    JournalReader reader(journal.files, kJournal, {});
    Locator position(1, at, 0);
    const auto record = reader.next(position, Locator(2, kFirstBlock, 0));
    ASSERT_TRUE(record && *record) << at;
    EXPECT_EQ((*record)->at, places[3]) << "from " << at;
    EXPECT_EQ(text_of((*record)->payload), "d");
    EXPECT_EQ(reader.stats().blocks_bad, 0u) << "it was passed knowingly";
    EXPECT_EQ(reader.passed_over(), 1u) << "and who reads on can tell";
  }
}

TEST(JournalReader, GoesOnBehindASalvagedStretchThatEndsWhereItsFileWasCut) {
  JournalOnSim journal;
  journal.file_octets = 512;
  std::vector<Locator> places;
  {
    const auto writer = journal.open();
    while (places.empty() || places.back().file() < 3) {
      places.push_back(commit_one(*writer, std::to_string(places.size())).value());
    }
  }
  journal.restart();
  const auto last = std::ranges::find(places, 2u, &Locator::file);
  Octets octets = journal.files.content(journal.path(2));
  octets.resize(last->block() + kBlockAlignOctets + 7);  // amid a block and amid a step
  octets.at(last->block() + kBlockHeaderOctets) ^= 0x10;
  journal.files.set_content(journal.path(2), octets);
  const auto recovered = journal.recover({.salvage = true});
  ASSERT_TRUE(recovered);
  // What the file behind says of the lost block is nothing that can be held against it.
  EXPECT_EQ(recovered->quarantined.size(), 1u);
  EXPECT_EQ(journal.visited.places.back(), places.back());

  JournalReader reader(journal.files, kJournal, {});
  Locator position = *last;
  const auto record = reader.next(position, Locator(4, kFirstBlock, 0));
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->at, places.back());
}

TEST(JournalReader, CountsWhatIsLostAtTheEndOfAFile) {
  JournalOnSim journal;
  journal.file_octets = 512;
  std::vector<Locator> places;
  const auto writer = journal.open();
  while (places.empty() || places.back().file() < 4) {
    places.push_back(commit_one(*writer, std::to_string(places.size())).value());
  }
  const auto last = std::ranges::find(places, 3u, &Locator::file) - 1;
  const Octets good = journal.files.content(journal.path(2));
  const auto bad_from = [&](Locator position, Locator end) {
    JournalReader reader(journal.files, kJournal, {});
    (void)read_onward(reader, position, end);
    return reader.stats().blocks_bad;
  };
  const Locator end = writer->durable_end();
  const Locator third(3, kFirstBlock, 0);
  EXPECT_EQ(bad_from({}, end), 0u);
  EXPECT_EQ(bad_from({}, third), 0u);

  Octets octets = good;
  octets.at(last->block() + kBlockHeaderOctets) ^= 1;
  journal.files.set_content(journal.path(2), octets);
  EXPECT_EQ(bad_from({}, end), 1u) << "the next file's first block does not follow";
  EXPECT_EQ(bad_from({}, third), 1u) << "nor does it where the stretch ends with the file";
  octets = good;
  octets.at(20) ^= 1;
  journal.files.set_content(journal.path(2), octets);
  EXPECT_EQ(bad_from({}, end), 1u);
  EXPECT_EQ(bad_from(Locator(2, kFirstBlock, 0), third), 1u) << "with nothing to follow";
  ASSERT_TRUE(journal.files.remove(journal.path(2)));
  EXPECT_EQ(bad_from({}, end), 1u);
  ASSERT_TRUE(journal.files.remove(journal.path(1)));
  EXPECT_EQ(bad_from(Locator(1, kFirstBlock, 0), end), 0u) << "dropped, not lost";
}

// A disk may show old octets behind a file's end; recovery goes by the next file's word, and so
// does whoever reads.
TEST(JournalReader, TakesNoGoodLookingBlockBehindTheEndOfAFileForOneOfIt) {
  JournalOnSim journal;
  journal.file_octets = 512;
  std::vector<std::string> texts;
  const auto writer = journal.open();
  while (writer->durable_end().file() < 3) {
    texts.push_back(std::to_string(texts.size()));
    ASSERT_TRUE(commit_one(*writer, texts.back()));
  }
  const Octets good = journal.files.content(journal.path(1));
  const Locator third(3, kFirstBlock, 0);
  for (const std::size_t gap : {0u, 1u, 5u}) {
    SCOPED_TRACE(gap);
    Octets octets = good;
    octets.resize(good.size() + gap * kBlockAlignOctets);
    octets.insert(octets.end(), good.begin() + 2 * kBlockAlignOctets,
                  good.begin() + 3 * kBlockAlignOctets);
    journal.files.set_content(journal.path(1), octets);
    JournalReader reader(journal.files, kJournal, {});
    Locator position;

    EXPECT_EQ(read_onward(reader, position, writer->durable_end()), texts);
    EXPECT_EQ(reader.stats().blocks_bad, 0u);
    JournalReader to_the_file_end(journal.files, kJournal, {});
    position = {};
    EXPECT_EQ(read_onward(to_the_file_end, position, third).size(), texts.size() - 1);
    EXPECT_EQ(to_the_file_end.stats().blocks_bad, 0u);
  }
}

TEST(JournalReader, GoesOnBehindAFileThatWasSetAsideWhole) {
  JournalOnSim journal;
  journal.file_octets = 512;
  std::vector<Locator> places;
  {
    const auto writer = journal.open();
    while (places.empty() || places.back().file() < 3) {
      places.push_back(commit_one(*writer, std::to_string(places.size())).value());
    }
  }
  journal.restart();
  Octets octets = journal.files.content(journal.path(2));
  octets.at(0) ^= 0x10;
  journal.files.set_content(journal.path(2), octets);
  ASSERT_TRUE(journal.recover({.salvage = true}));

  for (const Locator noted : places) {
    if (noted.file() != 2) continue;
    JournalReader reader(journal.files, kJournal, {});
    Locator position = noted;
    const auto record = reader.next(position, Locator(4, kFirstBlock, 0));
    ASSERT_TRUE(record && *record) << noted.block();
    EXPECT_EQ((*record)->at, places.back());
    EXPECT_GT(reader.passed_over(), 0u);
    EXPECT_EQ(reader.read(noted).error(), JournalError::no_such_record);
  }
}

TEST(JournalReader, IsNowhereInAnEmptyJournal) {
  JournalOnSim journal;
  ASSERT_TRUE(journal.recover());
  JournalReader reader(journal.files, kJournal, {});
  Locator position;

  EXPECT_TRUE(reader.oldest().value().is_nowhere());
  EXPECT_FALSE(reader.next(position, Locator(1, 64, 0)).value());
}

}  // namespace
}  // namespace stentor::queue::test
