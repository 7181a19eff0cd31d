#include "encoding/text_survey.h"

#include <gtest/gtest.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include <random>
#include <string>

#include "encoding/utf8.h"

namespace stentor::encoding {
namespace {

// The text read one code point at a time.
result<TextSurvey> plain_survey(std::string_view text) {
  if (text.empty()) return std::unexpected(EncodingError{EncodingFault::empty_text});
  TextSurvey found;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = checked_code_point(text, at);
    const auto offset = static_cast<std::uint32_t>(at);
    if (next.octets == 0) {
      return std::unexpected(EncodingError{EncodingFault::invalid_utf8, offset});
    }
    if (next.value == 0) {
      return std::unexpected(EncodingError{EncodingFault::forbidden_character, offset});
    }
    found.may_compose |= may_compose(next.value);
    ++found.code_points;
    found.utf16_units += next.value > 0xffff ? 2u : 1u;
    at += next.octets;
  }
  return found;
}

void expect_same(const std::string& text) {
  const auto quick = survey(text);
  const auto plain = plain_survey(text);
  ASSERT_EQ(quick.has_value(), plain.has_value());
  if (quick) {
    ASSERT_EQ(quick->code_points, plain->code_points);
    ASSERT_EQ(quick->utf16_units, plain->utf16_units);
    ASSERT_EQ(quick->may_compose, plain->may_compose);
  } else {
    ASSERT_EQ(quick.error().fault, plain.error().fault);
    ASSERT_EQ(quick.error().offset, plain.error().offset);
  }
}

TEST(TextSurvey, ReadsBlocksAsItReadsOneByOne) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::array<std::string, 12> pieces{"a",
                                           "Ж",
                                           "é",
                                           "€",
                                           "😀",
                                           "\u0301",
                                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                           "ЖЖЖЖЖЖЖЖЖЖЖЖЖ",
                                           "\u0387",
                                           "\u0654",
                                           "·",
                                           "\u07ff"};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t count = random() % 12; count-- > 0;) text += pieces[random() % pieces.size()];
    expect_same(text);
    if (text.empty()) continue;
    // One octet spoilt, or the end cut off.
    std::string spoilt = text;
    spoilt[random() % spoilt.size()] = static_cast<char>(random());
    expect_same(spoilt);
    expect_same(text.substr(0, random() % text.size()));
  }
}

TEST(TextSurvey, ChecksEveryPairOfOctets) {
  for (unsigned pair = 0; pair < 0x10000; ++pair) {
    const std::string octets{static_cast<char>(pair >> 8), static_cast<char>(pair & 0xff)};
    expect_same(octets);
    expect_same(std::string(14, 'a') + octets);
    expect_same(std::string(15, 'a') + octets + std::string(20, 'b'));
  }
}

TEST(TextSurvey, SuspectsEveryCodePointThatMayCompose) {
  for (char32_t code_point = 1; code_point <= 0x10ffff; ++code_point) {
    const auto quick =
        u_getIntPropertyValue(static_cast<UChar32>(code_point), UCHAR_NFC_QUICK_CHECK);
    EXPECT_TRUE(quick == UNORM_YES || may_compose(code_point)) << std::uint32_t{code_point};
  }
}

TEST(TextSurvey, EndsTheGsmRunAtTheFirstOtherOctet) {
  for (unsigned octet = 1; octet < 256; ++octet) {
    for (const std::size_t before : {0u, 1u, 15u, 16u, 17u, 40u}) {
      const std::string text =
          std::string(before, 'x') + static_cast<char>(octet) + std::string(20, 'y');
      const bool in = octet < 0x80 && octet != '`' && octet != 0x7f &&
                      (octet >= 0x20 || octet == '\n' || octet == '\r' || octet == '\f');
      const GsmAsciiRun run = gsm_ascii_run(text);
      EXPECT_EQ(run.octets, in ? text.size() : before);
      const bool extended =
          std::string("\f^{}\\[~]|").find(static_cast<char>(octet)) != std::string::npos;
      EXPECT_EQ(run.extended, in && extended ? 1u : 0u);
    }
  }
}

}  // namespace
}  // namespace stentor::encoding
