#include "encoding/septet_packing.h"

#include <gtest/gtest.h>

#include <vector>

namespace stentor::encoding {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets packed(const Octets& septets, std::size_t fill = 0) {
  Octets out(septets.size() + 1);
  out.resize(pack(septets, fill, out));
  return out;
}

Octets unpacked(const Octets& octets, std::size_t fill = 0) {
  Octets out(octets.size() * 8 / 7);
  out.resize(unpack(octets, fill, out));
  return out;
}

TEST(SeptetPacking, PacksTheTextbookExample) {
  // "hellohello", as in every guide to the SMS PDU.
  EXPECT_EQ(packed({'h', 'e', 'l', 'l', 'o', 'h', 'e', 'l', 'l', 'o'}),
            (Octets{0xe8, 0x32, 0x9b, 0xfd, 0x46, 0x97, 0xd9, 0xec, 0x37}));
}

TEST(SeptetPacking, PutsACarriageReturnIntoSevenSpareBits) {
  // TS 23.038 section 6.1.2.3.1: 7 of 8 septets, the last octet would end with seven zeros, an @.
  const Octets seven(7, 'a');
  const Octets octets = packed(seven);

  ASSERT_EQ(octets.size(), 7u);
  EXPECT_EQ(octets.back() >> 1, 0x0d);
  EXPECT_EQ(unpacked(octets), seven);
}

TEST(SeptetPacking, KeepsAnAtSignInTheLastPlace) {
  Octets eight(7, 'a');
  eight.push_back(0x00);

  EXPECT_EQ(packed(eight).size(), 7u);
  EXPECT_EQ(unpacked(packed(eight)), eight);
}

TEST(SeptetPacking, WritesACarriageReturnTwiceWhereItWouldPassForPadding) {
  Octets eight(7, 'a');
  eight.push_back(0x0d);
  const Octets octets = packed(eight);

  EXPECT_EQ(octets, (Octets{0xe1, 0x70, 0x38, 0x1c, 0x0e, 0x87, 0x1b, 0x0d}));
}

TEST(SeptetPacking, FillsUpToASeptetAfterAHeader) {
  EXPECT_EQ(fill_bits(0), 0u);
  EXPECT_EQ(fill_bits(6), 1u);
  EXPECT_EQ(fill_bits(7), 0u);
  EXPECT_EQ(fill_bits(4), 3u);
  EXPECT_EQ(fill_bits(9), 5u);
  EXPECT_EQ(packed({'a'}, 1), (Octets{0xc2}));
}

TEST(SeptetPacking, GivesBackWhatItPackedForEveryLengthAndFill) {
  for (std::size_t fill = 0; fill < 7; ++fill) {
    for (std::size_t length = 1; length <= 160; ++length) {
      for (const std::uint8_t last : Octets{0x00, 0x0d, 0x61, 0x7f}) {
        Octets septets;
        for (std::size_t at = 0; at < length; ++at) {
          septets.push_back(static_cast<std::uint8_t>((at * 37 + length) & 0x7f));
        }
        septets.back() = last;
        Octets back = unpacked(packed(septets, fill), fill);
        // A doubled carriage return that does not end with its octet is shown twice: harmless, says
        // the standard.
        if (last == 0x0d && back.size() == length + 1) back.pop_back();
        ASSERT_EQ(back, septets) << "fill " << fill << " length " << length;
      }
    }
  }
}

}  // namespace
}  // namespace stentor::encoding
