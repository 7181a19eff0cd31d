// The octets are those of the worked example in docs/journal.md: laid out by hand, their checks
// computed bit by bit by another program.
#include "queue/journal_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace stentor::queue::test {
namespace {

using Octets = std::vector<std::uint8_t>;

// clang-format off
constexpr std::array<std::uint8_t, 64> kFileHeader{
    0x53, 0x54, 0x45, 0x4e, 0x54, 0x4f, 0x52, 0x4a,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
    0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x17, 0x22, 0x12, 0xde};
constexpr std::array<std::uint8_t, 48> kBlockHeader{
    0x53, 0x54, 0x4a, 0x42, 0x01, 0x00, 0x00, 0x00,
    0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
    0x2a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x40, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x1e, 0x92, 0xf9, 0x10,
    0x00, 0x00, 0x00, 0x00, 0x16, 0xd3, 0x5a, 0x38};
// clang-format on
constexpr std::uint32_t kPayloadCheck = 0x10f9921e;  // of 01 03 "abc" 02 03 "xyz"
constexpr std::uint32_t kBlockCheck = 0x385ad316;

TEST(JournalFormat, WritesTheFileHeaderOfTheBook) {
  const auto header = encode(FileHeader{.number = 1, .epoch = 0x0123456789abcdef});

  EXPECT_TRUE(std::ranges::equal(header, kFileHeader));
}

TEST(JournalFormat, ReadsTheFileHeaderOfTheBook) {
  const FileHeaderRead read = decode_file_header(kFileHeader);

  EXPECT_EQ(read.fault, HeaderFault::none);
  EXPECT_EQ(read.header.version, 1u);
  EXPECT_EQ(read.header.number, 1u);
  EXPECT_EQ(read.header.epoch, 0x0123456789abcdefu);
}

TEST(JournalFormat, TellsForeignDamagedAndNewerFilesApart) {
  Octets foreign(kFileHeader.begin(), kFileHeader.end());
  foreign[0] = 'X';
  Octets damaged(kFileHeader.begin(), kFileHeader.end());
  damaged[20] ^= 1;

  EXPECT_EQ(decode_file_header(foreign).fault, HeaderFault::foreign);
  EXPECT_EQ(decode_file_header(damaged).fault, HeaderFault::damaged);
  EXPECT_EQ(decode_file_header(std::span(kFileHeader).first(63)).fault, HeaderFault::foreign);
  const auto newer = decode_file_header(encode(FileHeader{.version = 2, .number = 1}));
  EXPECT_EQ(newer.fault, HeaderFault::newer);
  EXPECT_EQ(newer.header.version, 2u);
}

TEST(JournalFormat, WritesTheBlockHeaderOfTheBook) {
  BlockHeader header{.number = 1,
                     .epoch = 0x0123456789abcdef,
                     .first_word = 42,
                     .durable_octets = 64,
                     .payload_octets = 10,
                     .previous_check = 0,
                     .payload_check = kPayloadCheck};

  EXPECT_TRUE(std::ranges::equal(encode(header), kBlockHeader));
  EXPECT_EQ(header.check, kBlockCheck);
}

TEST(JournalFormat, ReadsTheBlockHeaderOfTheBook) {
  const auto header = decode_block_header(kBlockHeader);

  ASSERT_TRUE(header);
  EXPECT_EQ(header->number, 1u);
  EXPECT_EQ(header->epoch, 0x0123456789abcdefu);
  EXPECT_EQ(header->first_word, 42u);
  EXPECT_EQ(header->durable_octets, 64u);
  EXPECT_EQ(header->payload_octets, 10u);
  EXPECT_EQ(header->payload_check, kPayloadCheck);
}

TEST(JournalFormat, RefusesABlockHeaderWithAnyBitFlipped) {
  for (std::size_t bit = 0; bit < 8 * kBlockHeader.size(); ++bit) {
    Octets octets(kBlockHeader.begin(), kBlockHeader.end());
    octets[bit / 8] = static_cast<std::uint8_t>(octets[bit / 8] ^ 1u << bit % 8);
    EXPECT_FALSE(decode_block_header(octets)) << "bit " << bit;
  }
}

TEST(JournalFormat, BoundsThePayloadOfABlock) {
  BlockHeader largest{.number = 1, .payload_octets = kPayloadOctetsMax};
  BlockHeader too_large{.number = 1, .payload_octets = kPayloadOctetsMax + 1};

  EXPECT_TRUE(decode_block_header(encode(largest)));
  EXPECT_FALSE(decode_block_header(encode(too_large)));
}

TEST(JournalFormat, PadsBlocksToSixtyFourOctets) {
  EXPECT_EQ(block_octets(0), 64u);
  EXPECT_EQ(block_octets(16), 64u);
  EXPECT_EQ(block_octets(17), 128u);
}

TEST(JournalFormat, ReadsNoRecordThatIsNotWhole) {
  EXPECT_TRUE(read_record(Octets{1, 0}, 0));
  EXPECT_FALSE(read_record(Octets{}, 0));
  EXPECT_FALSE(read_record(Octets{0, 0}, 0)) << "kind 0";
  EXPECT_FALSE(read_record(Octets{1}, 0)) << "no length";
  EXPECT_FALSE(read_record(Octets{1, 1}, 0)) << "payload is missing";
  EXPECT_FALSE(read_record(Octets{1, 0x80}, 0)) << "length is cut short";
  EXPECT_FALSE(read_record(Octets{1, 0x80, 0x80, 0x80, 0x00}, 0)) << "length of four octets";
  EXPECT_FALSE(read_record(Octets{1, 0x80, 0x00}, 0)) << "a second spelling of 0";
  EXPECT_FALSE(read_record(Octets{1, 0}, 2)) << "behind the end";
}

TEST(JournalFormat, BoundsTheLengthOfARecord) {
  Octets octets(kRecordOctetsMax + 8);
  octets[0] = 1;
  octets[1] = 0x80;
  octets[2] = 0x80;
  octets[3] = 0x08;  // kRecordOctetsMax
  EXPECT_TRUE(read_record(octets, 0));

  octets[1] = 0x81;  // one more

  EXPECT_FALSE(read_record(octets, 0));
}

TEST(JournalFormat, NamesFilesByNumber) {
  EXPECT_EQ(file_name(17), "journal-00000017.stj");
  EXPECT_EQ(file_number("journal-00000017.stj"), 17u);
  EXPECT_EQ(file_number("journal-01048575.stj"), kFileNumberMax);
  EXPECT_FALSE(file_number("journal-01048576.stj"));
  EXPECT_FALSE(file_number("journal-00000000.stj"));
  EXPECT_FALSE(file_number("journal-17.stj"));
  EXPECT_FALSE(file_number("journal-0000001x.stj"));
  EXPECT_FALSE(file_number("journal-00000017.stj.making"));
  EXPECT_TRUE(is_name_in_making(file_name_in_making(17)));
  EXPECT_FALSE(is_name_in_making(file_name(17)));
}

TEST(Locator, OrdersAsRecordsLieInTheJournal) {
  EXPECT_LT(Locator(1, 64, 4194303), Locator(1, 128, 0));
  EXPECT_LT(Locator(1, kFileOctetsUsable, 4194303), Locator(2, 64, 0));
  EXPECT_EQ(Locator(1048575, 64, 9).file(), 1048575u);
  EXPECT_EQ(Locator(1, kFileOctetsUsable, 9).block(), kFileOctetsUsable);
  EXPECT_EQ(Locator(1, 64, kPayloadOctetsMax).record(), kPayloadOctetsMax);
}

}  // namespace
}  // namespace stentor::queue::test
