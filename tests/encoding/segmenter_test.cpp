#include "encoding/segmenter.h"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <string>
#include <vector>

namespace stentor::encoding {
namespace {

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  while (times-- > 0) all += text;
  return all;
}

std::vector<std::size_t> units_of(const Plan& plan) {
  std::vector<std::size_t> units;
  for (const Part& part : plan.parts) units.push_back(part.units);
  return units;
}

std::vector<std::uint8_t> octets_of(std::string_view text, const Plan& plan, std::size_t index,
                                    Concatenation concatenation = Concatenation::udh8,
                                    Tie tie = {}) {
  std::vector<std::uint8_t> out(concatenation == Concatenation::payload ? payload_octets_max(plan)
                                                                        : kPartOctetsMax);
  const EncodedPart encoded = encode_part(text, plan, index, concatenation, tie, out);
  out.resize(encoded.octets);
  return out;
}

using Units = std::vector<std::size_t>;
using Octets = std::vector<std::uint8_t>;

TEST(Segmenter, FillsOneMessageToTheLastSeptet) {
  const std::string text(160, 'a');
  const Plan planned = plan(text, {}).value();

  EXPECT_EQ(planned.alphabet, Alphabet::gsm7);
  EXPECT_EQ(planned.units, 160u);
  EXPECT_EQ(units_of(planned), Units{160});
  EXPECT_FALSE(planned.forced_by);
  EXPECT_EQ(octets_of(text, planned, 0), Octets(160, 'a'));
}

TEST(Segmenter, OneSeptetMoreMakesTwoPartsOfOneReference) {
  const std::string text(161, 'a');
  const Plan planned = plan(text, {}).value();
  ASSERT_EQ(units_of(planned), (Units{153, 8}));

  const Octets first = octets_of(text, planned, 0, Concatenation::udh8, {0x122a, 2, 1});
  const Octets second = octets_of(text, planned, 1, Concatenation::udh8, {0x122a, 2, 2});
  ASSERT_EQ(first.size(), 6u + 153u);
  EXPECT_EQ(Octets(first.begin(), first.begin() + 7), (Octets{5, 0, 3, 0x2a, 2, 1, 'a'}));
  EXPECT_EQ(second, (Octets{5, 0, 3, 0x2a, 2, 2, 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'}));
}

TEST(Segmenter, WritesASixteenBitReferenceHighOctetFirst) {
  const std::string text(161, 'a');
  PlanOptions options;
  options.concatenation = Concatenation::udh16;
  const Plan planned = plan(text, options).value();
  ASSERT_EQ(units_of(planned), (Units{152, 9}));

  const Octets second = octets_of(text, planned, 1, Concatenation::udh16, {0x122a, 2, 2});
  EXPECT_EQ(Octets(second.begin(), second.begin() + 7), (Octets{6, 8, 4, 0x12, 0x2a, 2, 2}));
}

// Capacities at the bound and one past it, for each alphabet and way of tying parts together.
struct Bound {
  Alphabet alphabet;
  Concatenation concatenation;
  std::string_view character;
  std::size_t alone;
  std::size_t part;
};

class Capacities : public testing::TestWithParam<Bound> {};

TEST_P(Capacities, AreFilledAndNotExceeded) {
  const Bound& bound = GetParam();
  const std::array alphabets{bound.alphabet};
  const PlanOptions options{.alphabets = alphabets,
                            .strict = true,
                            .concatenation = bound.concatenation,
                            .national = {},
                            .segments_max = 255};

  EXPECT_EQ(units_of(plan(repeat(bound.character, bound.alone), options).value()),
            Units{bound.alone});
  EXPECT_EQ(units_of(plan(repeat(bound.character, bound.alone + 1), options).value()),
            (Units{bound.part, bound.alone + 1 - bound.part}));
  EXPECT_EQ(units_of(plan(repeat(bound.character, 2 * bound.part), options).value()),
            (Units{bound.part, bound.part}));
  EXPECT_EQ(units_of(plan(repeat(bound.character, 2 * bound.part + 1), options).value()),
            (Units{bound.part, bound.part, 1}));
  EXPECT_EQ(plan(repeat(bound.character, 255 * bound.part), options).value().parts.size(), 255u);
  const auto past = plan(repeat(bound.character, 255 * bound.part + 1), options);
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().fault, EncodingFault::too_many_segments);
  EXPECT_EQ(past.error().segments, 256u);
}

INSTANTIATE_TEST_SUITE_P(
    Segmenter, Capacities,
    testing::Values(Bound{Alphabet::gsm7, Concatenation::udh8, "a", 160, 153},
                    Bound{Alphabet::gsm7, Concatenation::udh16, "a", 160, 152},
                    Bound{Alphabet::gsm7, Concatenation::sar, "a", 160, 153},
                    Bound{Alphabet::gsm7_packed, Concatenation::udh8, "a", 160, 153},
                    Bound{Alphabet::gsm7_packed, Concatenation::udh16, "é", 160, 152},
                    Bound{Alphabet::latin1, Concatenation::udh8, "ê", 140, 134},
                    Bound{Alphabet::latin1, Concatenation::udh16, "a", 140, 133},
                    Bound{Alphabet::ascii, Concatenation::udh8, "`", 140, 134},
                    Bound{Alphabet::ascii, Concatenation::udh16, "a", 140, 133},
                    Bound{Alphabet::ucs2, Concatenation::udh8, "Ж", 70, 67},
                    Bound{Alphabet::ucs2, Concatenation::udh16, "Ж", 70, 66},
                    Bound{Alphabet::ucs2, Concatenation::sar, "中", 70, 67}));

TEST(Segmenter, WritesNoHeaderForSar) {
  const std::string text(161, 'a');
  PlanOptions options;
  options.concatenation = Concatenation::sar;
  const Plan planned = plan(text, options).value();

  EXPECT_EQ(octets_of(text, planned, 1, Concatenation::sar, {1, 2, 2}), Octets(8, 'a'));
}

TEST(Segmenter, NeverCutsAPayload) {
  const std::string text = repeat("Ж", 300);
  PlanOptions options;
  options.concatenation = Concatenation::payload;
  const Plan planned = plan(text, options).value();

  EXPECT_EQ(units_of(planned), Units{300});
  EXPECT_EQ(planned.segments, 5u);
  const Octets octets = octets_of(text, planned, 0, Concatenation::payload);
  ASSERT_EQ(octets.size(), 600u);
  EXPECT_EQ(octets[598], 0x04);
  EXPECT_EQ(octets[599], 0x16);
}

TEST(Segmenter, CountsAnExtensionCharacterTwice) {
  EXPECT_EQ(units_of(plan(repeat("€", 80), {}).value()), Units{160});
  EXPECT_EQ(units_of(plan(repeat("€", 81), {}).value()), (Units{152, 10}));
}

TEST(Segmenter, MovesAnEscapePairThatDoesNotFitWhole) {
  const std::string text = std::string(152, 'a') + "€" + std::string(20, 'b');
  const Plan planned = plan(text, {}).value();

  EXPECT_EQ(units_of(planned), (Units{152, 22}));
  const Octets second = octets_of(text, planned, 1, Concatenation::udh8, {0, 2, 2});
  EXPECT_EQ(Octets(second.begin() + 6, second.begin() + 9), (Octets{0x1b, 0x65, 'b'}));
}

TEST(Segmenter, MovesASurrogatePairThatDoesNotFitWhole) {
  const std::string text = repeat("Ж", 66) + "😀" + repeat("Ж", 10);
  const Plan planned = plan(text, {}).value();

  EXPECT_EQ(units_of(planned), (Units{66, 12}));
  const Octets second = octets_of(text, planned, 1, Concatenation::udh8, {0, 2, 2});
  EXPECT_EQ(Octets(second.begin() + 6, second.begin() + 10), (Octets{0xd8, 0x3d, 0xde, 0x00}));
}

TEST(Segmenter, KeepsACharacterAsPeoplePerceiveItWhole) {
  const std::string family = "👨‍👩‍👧‍👦";  // eleven code units
  for (const std::string_view cluster :
       {std::string_view(family), std::string_view("🇩🇪"), std::string_view("👍🏽"),
        std::string_view("क्षि"), std::string_view("\u1113\u1161"), std::string_view("\r\n")}) {
    const std::string text = repeat("Ж", 66) + std::string(cluster) + repeat("Ж", 10);
    const Plan planned = plan(text, {}).value();
    EXPECT_EQ(planned.parts[0].end, 132u) << cluster;
    EXPECT_FALSE(planned.cut_inside_cluster);
  }
}

TEST(Segmenter, KeepsALineEndWholeInGsm7) {
  const Plan planned = plan(std::string(152, 'a') + "\r\n" + std::string(20, 'b'), {}).value();
  EXPECT_EQ(units_of(planned), (Units{152, 22}));
}

TEST(Segmenter, CutsACharacterLongerThanASegmentBetweenCodePointsAndSaysSo) {
  const std::string text = "Ж" + repeat("\u0483", 150);
  const Plan planned = plan(text, {}).value();

  EXPECT_TRUE(planned.cut_inside_cluster);
  EXPECT_EQ(units_of(planned), (Units{67, 67, 17}));
}

TEST(Segmenter, GoesOnInClustersAfterOneThatIsTooLong) {
  const std::string text =
      "Ж" + repeat("\u0483", 100) + repeat("Ж", 32) + "👨‍👩‍👧‍👦" + repeat("Ж", 5);
  const Plan planned = plan(text, {}).value();

  EXPECT_EQ(units_of(planned), (Units{67, 66, 16}));
}

TEST(Segmenter, SaysWhichCharacterForcedUcs2) {
  const Plan planned = plan("Hello\r\n, Ж Ж", {}).value();

  EXPECT_EQ(planned.alphabet, Alphabet::ucs2);
  ASSERT_TRUE(planned.forced_by);
  EXPECT_EQ(planned.forced_by.value().code_point, U'Ж');
  EXPECT_EQ(planned.forced_by.value().offset, 9u);
  EXPECT_EQ(planned.forced_by.value().index, 8u);
}

TEST(Segmenter, SaysThatACombiningMarkForcedUcs2) {
  const Plan planned = plan("abx\u0323", {}).value();

  ASSERT_TRUE(planned.forced_by);
  EXPECT_EQ(planned.forced_by.value().code_point, U'\u0323');
  EXPECT_EQ(planned.forced_by.value().index, 2u);
}

TEST(Segmenter, TakesTheFirstAlphabetThatCarriesTheText) {
  const std::array alphabets{Alphabet::gsm7, Alphabet::latin1};
  PlanOptions options;
  options.alphabets = alphabets;

  EXPECT_EQ(plan("plain", options).value().alphabet, Alphabet::gsm7);
  EXPECT_EQ(plan("ê", options).value().alphabet, Alphabet::latin1);
  EXPECT_EQ(plan("ê", options).value().forced_by.value().code_point, U'ê');
  EXPECT_EQ(plan("Ж", options).value().alphabet, Alphabet::ucs2);
}

TEST(Segmenter, TakesALaterAlphabetThatNeedsFewerSegments) {
  const std::array alphabets{Alphabet::gsm7, Alphabet::latin1};
  PlanOptions options;
  options.alphabets = alphabets;
  const Plan planned = plan(std::string(130, '{'), options).value();

  EXPECT_EQ(planned.alphabet, Alphabet::latin1);
  EXPECT_FALSE(planned.forced_by);
}

TEST(Segmenter, DoesNotFallBackOnUcs2WhenStrict) {
  const std::array alphabets{Alphabet::gsm7};
  const PlanOptions options{.alphabets = alphabets, .strict = true, .national = {}};
  const auto planned = plan("abcЖ", options);

  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().fault, EncodingFault::not_encodable);
  EXPECT_EQ(planned.error().offset, 3u);
}

TEST(Segmenter, RefusesWhatIsNotUtf8AtItsOctet) {
  using std::string_literals::operator""s;
  const std::initializer_list<std::pair<std::string, std::uint32_t>> cases{
      {"ab\x80", 2},
      {"\xc3", 0},
      {"a\xc0\xaf", 1},
      {"\xed\xa0\x80", 0},
      {"\xf4\x90\x80\x80", 0},
      {"\xe2\x82", 0},
      {"ЖЖ\xd0", 4},
      {"\xf0\x8f\xbf\xbf", 0},
      {std::string(15, 'a') + "\xd0", 15},
      {repeat("Ж", 8) + "\xd0" + "aaaaaaaaaaaaaaaaaaaa", 16},
      {repeat("Ж", 8) + "\xb0", 16},
      {"\xe0\x9f\xbf", 0},
      {"\xff", 0}};
  for (const auto& [text, offset] : cases) {
    const auto planned = plan(text, {});
    ASSERT_FALSE(planned);
    EXPECT_EQ(planned.error().fault, EncodingFault::invalid_utf8);
    EXPECT_EQ(planned.error().offset, offset);
  }
}

TEST(Segmenter, RefusesNothingAndNul) {
  EXPECT_EQ(plan("", {}).error().fault, EncodingFault::empty_text);
  const auto nul = plan(std::string_view("ab\0c", 4), {});
  ASSERT_FALSE(nul);
  EXPECT_EQ(nul.error().fault, EncodingFault::forbidden_character);
  EXPECT_EQ(nul.error().offset, 2u);
}

TEST(Segmenter, RefusesMoreSegmentsThanAllowedAndSaysHowMany) {
  PlanOptions options;
  options.segments_max = 2;

  EXPECT_TRUE(plan(std::string(306, 'a'), options));
  const auto planned = plan(std::string(307, 'a'), options);
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().fault, EncodingFault::too_many_segments);
  EXPECT_EQ(planned.error().segments, 3u);
}

TEST(Segmenter, CarriesNoncharactersPrivateUseAndDirectionMarksAsTheyAre) {
  const std::string text = "\uFFFE\uFDD0\uE000\u200F\u202E\U0010FFFF";
  const Plan planned = plan(text, {}).value();

  EXPECT_EQ(octets_of(text, planned, 0), (Octets{0xff, 0xfe, 0xfd, 0xd0, 0xe0, 0x00, 0x20, 0x0f,
                                                 0x20, 0x2e, 0xdb, 0xff, 0xdf, 0xff}));
}

TEST(Segmenter, AnswersAWholeLineOfOneCombiningMark) {
  const auto planned = plan(repeat("\u0301", 32768), {});

  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().fault, EncodingFault::too_many_segments);
  EXPECT_EQ(planned.error().segments, 490u);  // 32,768 / 67, and the rest
}

}  // namespace
}  // namespace stentor::encoding
