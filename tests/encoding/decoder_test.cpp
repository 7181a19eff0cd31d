#include "encoding/decoder.h"

#include <gtest/gtest.h>

#include <vector>

namespace stentor::encoding {
namespace {

using Octets = std::vector<std::uint8_t>;

TEST(Decoder, ReadsGsm7WithItsEscapes) {
  EXPECT_EQ(decode_part(Alphabet::gsm7, Octets{0x00, 0x1b, 0x65, 0x1b, 'A', 0x1b, 0x1b, 0x1b, 0x0a},
                        false),
            "@€A \f");
  EXPECT_EQ(decode_part(Alphabet::gsm7, Octets{'a', 0x1b}, false), "a ");
  EXPECT_EQ(decode_part(Alphabet::gsm7, Octets{'a', 0x80}, false), "a\uFFFD");
}

TEST(Decoder, ReadsPackedSeptetsAfterAHeader) {
  // Header of six octets, one fill bit, then "a".
  EXPECT_EQ(decode_part(Alphabet::gsm7_packed, Octets{5, 0, 3, 1, 2, 1, 0xc2}, true), "a");
}

TEST(Decoder, ReadsNationalTablesFromTheHeader) {
  EXPECT_EQ(decode_part(Alphabet::gsm7, Octets{3, 0x25, 1, 1, 0x1d, 0x07}, true), "şı");
  EXPECT_EQ(decode_part(Alphabet::gsm7, Octets{3, 0x24, 1, 1, 0x1b, 's'}, true), "ş");
}

TEST(Decoder, ReadsLatin1AndAscii) {
  EXPECT_EQ(decode_part(Alphabet::latin1, Octets{'a', 0xea}, false), "aê");
  EXPECT_EQ(decode_part(Alphabet::ascii, Octets{'a', 0xea}, false), "a\uFFFD");
}

TEST(Decoder, MarksWhatIsNoUtf16) {
  EXPECT_EQ(decode_part(Alphabet::ucs2, Octets{0xd8, 0x3d, 0x00, 'a'}, false), "\uFFFDa");
  EXPECT_EQ(decode_part(Alphabet::ucs2, Octets{0xde, 0x00}, false), "\uFFFD");
  EXPECT_EQ(decode_part(Alphabet::ucs2, Octets{0x00, 'a', 0x00}, false), "a\uFFFD");
  EXPECT_EQ(decode_part(Alphabet::ucs2, Octets{0xd8, 0x3d}, false), "\uFFFD");
}

TEST(Decoder, HealsPairsThatASenderCutInTwo) {
  Decoder units(Alphabet::ucs2);
  units.add(Octets{5, 0, 3, 1, 2, 1, 0xd8, 0x3d}, true);
  units.add(Octets{5, 0, 3, 1, 2, 2, 0xde, 0x00}, true);
  EXPECT_EQ(units.take(), "😀");

  Decoder septets(Alphabet::gsm7);
  septets.add(Octets{'a', 0x1b}, false);
  septets.add(Octets{0x65}, false);
  EXPECT_EQ(septets.take(), "a€");
  EXPECT_EQ(septets.take(), "");
}

TEST(Decoder, TakesAHeaderItCannotReadForText) {
  EXPECT_EQ(decode_part(Alphabet::ascii, Octets{'b', 'a'}, true), "ba");
}

}  // namespace
}  // namespace stentor::encoding
