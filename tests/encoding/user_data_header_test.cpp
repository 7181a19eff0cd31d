#include "encoding/user_data_header.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace stentor::encoding {
namespace {

using Octets = std::vector<std::uint8_t>;

TEST(UserDataHeader, WritesConcatenationAndBothShifts) {
  std::array<std::uint8_t, 14> out{};
  const Shifts shifts{NationalLanguage::turkish, NationalLanguage::portuguese};
  const std::size_t octets = write_header(Tie{0x0102, 3, 2}, true, shifts, out);

  EXPECT_EQ(Octets(out.begin(), out.begin() + octets),
            (Octets{12, 0x08, 4, 1, 2, 3, 2, 0x24, 1, 3, 0x25, 1, 1}));
}

TEST(UserDataHeader, WritesNothingForNothing) {
  std::array<std::uint8_t, 14> out{};
  EXPECT_EQ(write_header(std::nullopt, false, {}, out), 0u);
}

TEST(UserDataHeader, ReadsWhatItKnowsAndPassesOverTheRest) {
  const Octets octets{0x0d, 0x05, 0x04, 0x0b, 0x84, 0x0b, 0x84,  // ports
                      0x00, 0x03, 0x2a, 0x02, 0x01,              // concatenation
                      0x70, 0x00,                                // empty, SIM toolkit
                      'x'};
  const auto header = read_header(octets);

  ASSERT_TRUE(header);
  EXPECT_EQ(header.value().octets, 14u);
  ASSERT_TRUE(header.value().tie);
  EXPECT_EQ(header.value().tie.value().reference, 0x2a);
  EXPECT_EQ(header.value().tie.value().total, 2);
  EXPECT_EQ(header.value().tie.value().number, 1);
  EXPECT_TRUE(header.value().shifts.are_default());
}

TEST(UserDataHeader, IgnoresATieThatCannotBe) {
  for (const Octets& octets : {Octets{5, 0, 3, 1, 0, 0}, Octets{5, 0, 3, 1, 2, 3},
                               Octets{5, 0, 3, 1, 2, 0}, Octets{4, 0, 2, 1, 2}}) {
    const auto header = read_header(octets);
    ASSERT_TRUE(header);
    EXPECT_FALSE(header.value().tie);
  }
}

TEST(UserDataHeader, IgnoresLanguagesTheStandardDoesNotName) {
  const auto header = read_header(Octets{6, 0x24, 1, 14, 0x25, 1, 2});

  ASSERT_TRUE(header);
  EXPECT_TRUE(header.value().shifts.are_default());
}

TEST(UserDataHeader, RefusesLengthsThatOverrun) {
  EXPECT_FALSE(read_header({}));
  EXPECT_FALSE(read_header(Octets{1}));
  EXPECT_FALSE(read_header(Octets{5, 0, 3, 1, 2}));
  EXPECT_FALSE(read_header(Octets{5, 0, 4, 1, 2, 1, 'x'}));
  EXPECT_FALSE(read_header(Octets{1, 0, 'x'}));
  EXPECT_TRUE(read_header(Octets{0, 'x'}));
}

}  // namespace
}  // namespace stentor::encoding
