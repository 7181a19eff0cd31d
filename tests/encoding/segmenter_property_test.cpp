// What holds for every text: the parts are the text, none is over its limit or cuts what may not be
// cut, no plain splitter needs fewer, and what was sent reads back.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>

#include "encoding/decoder.h"
#include "encoding/gsm_alphabet.h"
#include "encoding/segmenter.h"
#include "tests/encoding/plan_promises.h"

namespace stentor::encoding {
namespace {

constexpr std::array kWays{Concatenation::udh8, Concatenation::udh16, Concatenation::sar};

constexpr std::array<std::string_view, 46> kPieces{"a",
                                                   "Hello, ",
                                                   "0123456789",
                                                   " ",
                                                   "\r\n",
                                                   "\r",
                                                   "\n",
                                                   "€",
                                                   "[",
                                                   "^{}",
                                                   "\f",
                                                   "é",
                                                   "Δ",
                                                   "@$_",
                                                   "ê",
                                                   "`",
                                                   "Ж",
                                                   "привет ",
                                                   "Ünïcödé",
                                                   "ş",
                                                   "ğ",
                                                   "İ",
                                                   "ã",
                                                   "😀",
                                                   "👨‍👩‍👧‍👦",
                                                   "🇩🇪",
                                                   "👍🏽",
                                                   "❤️",
                                                   "ə",
                                                   "e\u0301",
                                                   "\u0301",
                                                   "\u0483",
                                                   "क्षि",
                                                   "ज़",
                                                   "বাংলা",
                                                   "தமிழ்",
                                                   "اردو",
                                                   "\u1100\u1161\u11a8",
                                                   "각",
                                                   "中文",
                                                   "\u200D",
                                                   "\u200B",
                                                   "“x”",
                                                   "…",
                                                   "\u00A0",
                                                   "\uFFFD"};

std::string random_text(std::mt19937& random) {
  // A few pieces many times over, so that texts of one alphabet are frequent.
  std::string text;
  const std::size_t kinds = 1 + random() % 4;
  std::array<std::size_t, 4> chosen{};
  for (auto& one : chosen) one = random() % kPieces.size();
  const std::size_t count = 1 + random() % (random() % 4 == 0 ? 300 : 90);
  for (std::size_t left = count; left-- > 0;) text += kPieces[chosen[random() % kinds]];
  return text;
}

TEST(SegmenterProperties, HoldForRandomTexts) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::array kLists{std::array{Alphabet::gsm7, Alphabet::ucs2},
                              std::array{Alphabet::gsm7_packed, Alphabet::ucs2},
                              std::array{Alphabet::latin1, Alphabet::ucs2},
                              std::array{Alphabet::ascii, Alphabet::latin1},
                              std::array{Alphabet::gsm7, Alphabet::latin1},
                              std::array{Alphabet::ucs2, Alphabet::ucs2}};
  for (int round = 0; round < 3000; ++round) {
    const std::string text = random_text(random);
    PlanOptions options;
    options.alphabets = kLists[random() % kLists.size()];
    options.concatenation = kWays[random() % kWays.size()];
    options.replacement = static_cast<Replacement>(random() % 3);
    for (std::uint8_t language = 1; language <= kNationalLanguages; ++language) {
      if (random() % 8 == 0) options.national.allow(static_cast<NationalLanguage>(language));
    }
    const auto planned = plan(text, options);
    if (!planned) {
      ASSERT_EQ(planned.error().fault, EncodingFault::too_many_segments) << text;
      continue;
    }
    ASSERT_EQ(broken_promise(text, options, *planned), std::nullopt) << text;
  }
}

TEST(SegmenterProperties, RoundTripEveryCodePoint) {
  std::array<std::uint8_t, kPartOctetsMax> out{};
  std::string text;
  for (char32_t code_point = 1; code_point <= 0x10ffff; ++code_point) {
    if (code_point >= 0xd800 && code_point < 0xe000) continue;
    text.clear();
    append_utf8(text, code_point);
    const auto planned = plan(text, {});
    ASSERT_TRUE(planned);
    const auto encoded = encode_part(text, *planned, 0, Concatenation::udh8, {}, out);
    const std::string back =
        decode_part(planned->alphabet, std::span(out).first(encoded.octets), false);
    ASSERT_EQ(back, planned->replaced.empty() ? text : planned->replaced);
  }
}

// Any two characters of the alphabet with the end of a part before, between or after them.
TEST(SegmenterProperties, HoldForAllPairsOfGsm7AtASegmentBoundary) {
  std::vector<std::string> characters;
  for (char32_t code_point = 1; code_point < 0x20ad; ++code_point) {
    if (!default_code_of(code_point).exists()) continue;
    append_utf8(characters.emplace_back(), code_point);
  }
  ASSERT_EQ(characters.size(), 137u);
  std::array<std::uint8_t, kPartOctetsMax> out{};
  for (const std::string& first : characters) {
    for (const std::string& second : characters) {
      for (const std::size_t before : {150u, 151u, 152u, 153u}) {
        std::string text(before, 'a');
        text.append(first).append(second).append(20, 'b');
        const auto planned = plan(text, {});
        ASSERT_TRUE(planned);
        ASSERT_EQ(planned->parts.size(), 2u);
        const Part& part = planned->parts[0];
        ASSERT_LE(part.units, 153u);
        ASSERT_GE(part.units, 152u);
        ASSERT_FALSE(first == "\r" && second == "\n" && part.end == before + 1);
        Decoder decoder(Alphabet::gsm7);
        for (std::size_t index = 0; index < 2; ++index) {
          const auto encoded = encode_part(text, *planned, index, Concatenation::sar, {}, out);
          decoder.add(std::span(out).first(encoded.octets), false);
        }
        ASSERT_EQ(decoder.take(), text);
      }
    }
  }
}

// One or two of each kind that the cluster rules and the widths tell apart.
TEST(SegmenterProperties, HoldForAllPairsOfKindsAtAUcs2Boundary) {
  constexpr std::array<char32_t, 44> kKinds{
      U'a',          U'Ж',          U'\r',         U'\n',         U'\t',         U' ',
      U'\u00ad',     U'\u00a9',     U'\u0301',     U'\u0483',     U'\u0600',     U'\u0627',
      U'\u0651',     U'\u0903',     U'\u0915',     U'\u093c',     U'\u093f',     U'\u094d',
      U'\u0937',     U'\u09cd',     U'\u0bcd',     U'\u0e33',     U'\u1100',     U'\u1161',
      U'\u11a8',     U'\uac00',     U'\uac01',     U'\u200b',     U'\u200c',     U'\u200d',
      U'\u200e',     U'\u2122',     U'\u2764',     U'\u4e2d',     U'\ufe0f',     U'\U0001f1e9',
      U'\U0001f1ea', U'\U0001f3fd', U'\U0001f468', U'\U0001f600', U'\U000e0041', U'\U000e007f',
      U'\U00020000', U'\U0010ffff'};
  for (const char32_t first : kKinds) {
    for (const char32_t second : kKinds) {
      for (const std::size_t before : {64u, 65u, 66u, 67u}) {
        std::string text;
        for (std::size_t count = 0; count < before; ++count) text += "Ж";
        append_utf8(text, first);
        append_utf8(text, second);
        for (int count = 0; count < 8; ++count) text += "Ж";
        const auto planned = plan(text, {});
        ASSERT_TRUE(planned);
        ASSERT_EQ(broken_promise(text, {}, *planned), std::nullopt)
            << std::hex << std::uint32_t{first} << ' ' << std::uint32_t{second};
      }
    }
  }
}

}  // namespace
}  // namespace stentor::encoding
