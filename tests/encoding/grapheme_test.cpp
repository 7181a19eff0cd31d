#include "encoding/grapheme.h"

#include <gtest/gtest.h>
#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "encoding/utf8.h"

namespace stentor::encoding {
namespace {

// Boundaries of the whole text, as ICU alone finds them, in octets.
std::vector<std::size_t> boundaries_of(const std::string& text) {
  UErrorCode status = U_ZERO_ERROR;
  static const std::unique_ptr<icu::BreakIterator> iterator(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  const icu::UnicodeString units = icu::UnicodeString::fromUTF8(text);
  iterator->setText(units);
  std::vector<std::size_t> found{0};
  std::size_t octets = 0;
  std::int32_t unit = 0;
  for (std::int32_t next = iterator->next(); next != icu::BreakIterator::DONE;
       next = iterator->next()) {
    while (unit < next) {
      const CodePoint code_point = code_point_at(text, octets);
      unit += code_point.value > 0xffff ? 2 : 1;
      octets += code_point.octets;
    }
    found.push_back(octets);
  }
  return found;
}

constexpr std::array<std::string_view, 40> kPieces{
    "a",      "Ж",      " ", "\r", "\n",     "\r\n",   "😀",     "❤",  "\uFE0F", "\u200D",
    "👩",     "🏽",     "🇩", "🇪",  "\u0301", "\u0483", "क",      "्",   "ष",      "ि",
    "ক",      "্",       "த", "மி", "\u1100", "\u1161", "\u11A8", "각", "ก",      "ำ",
    "\u0600", "\u06DD", "1", "ا",  "\u0651", "中",     "\u3099", "©",  "\u00AD", "é"};

TEST(Grapheme, CountsAndFindsClustersAsIcuDoesOverTheWholeText) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (std::size_t count = 1 + random() % 40; count-- > 0;) {
      text += kPieces[random() % kPieces.size()];
    }
    const auto boundaries = boundaries_of(text);
    ASSERT_EQ(count_characters(text), boundaries.size() - 1);
    for (std::size_t at = 0; at + 1 < boundaries.size(); ++at) {
      const std::size_t known = boundaries[random() % (at + 1)];
      std::size_t inside = boundaries[at + 1];
      do {
        inside = code_point_before(text, inside);
        const Cluster cluster = cluster_at(text, known, inside);
        ASSERT_EQ(cluster.begin, boundaries[at]) << text;
        ASSERT_EQ(cluster.end, boundaries[at + 1]) << text;
      } while (inside > boundaries[at]);
    }
  }
}

TEST(Grapheme, CountsAsciiByBlocks) {
  for (std::size_t length = 0; length < 70; ++length) {
    EXPECT_EQ(count_characters(std::string(length, 'x')), length);
    EXPECT_EQ(count_characters(std::string(length, 'x') + "\r\n" + std::string(length, 'y')),
              2 * length + 1);
    EXPECT_EQ(count_characters(std::string(length, 'x') + "\u0301" + std::string(length, 'y')),
              2 * length + (length == 0 ? 1 : 0));
  }
  EXPECT_EQ(count_characters(""), 0u);
}

// What certainly_parted() takes for plain is so by the properties that the rules are made of.
TEST(Grapheme, IsCertainOnlyWhereNoRuleJoins) {
  for (UChar32 code_point = 1; code_point <= 0x10ffff; ++code_point) {
    const auto value = static_cast<char32_t>(code_point);
    if (!certainly_parted(U'a', value) || !certainly_parted(value, U'a')) continue;
    const auto kind = u_getIntPropertyValue(code_point, UCHAR_GRAPHEME_CLUSTER_BREAK);
    EXPECT_TRUE(kind == U_GCB_OTHER || kind == U_GCB_CONTROL || kind == U_GCB_LF ||
                kind == U_GCB_CR)
        << code_point;
    EXPECT_FALSE(u_hasBinaryProperty(code_point, UCHAR_EXTENDED_PICTOGRAPHIC)) << code_point;
    EXPECT_NE(u_getIntPropertyValue(code_point, UCHAR_INDIC_SYLLABIC_CATEGORY), U_INSC_CONSONANT)
        << code_point;
  }
  EXPECT_FALSE(certainly_parted('\r', '\n'));
  EXPECT_TRUE(certainly_parted('\n', '\r'));
}

TEST(Grapheme, FollowsAClusterPastItsWindow) {
  std::string text = "abc";
  for (int marks = 0; marks < 10000; ++marks) text += "\u0301";
  text += "d";

  const Cluster cluster = cluster_at(text, 0, 203);
  EXPECT_EQ(cluster.begin, 2u);
  EXPECT_EQ(cluster.end, 20003u);
  EXPECT_EQ(count_characters(text), 4u);
}

}  // namespace
}  // namespace stentor::encoding
