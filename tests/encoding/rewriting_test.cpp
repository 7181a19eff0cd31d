#include "encoding/rewriting.h"

#include <gtest/gtest.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <string>

#include "encoding/replacement_table.h"

namespace stentor::encoding {
namespace {

std::string safe(std::string_view text) {
  return rewrite(text, Replacement::safe, {}).text;
}

std::string latin(std::string_view text) {
  return rewrite(text, Replacement::transliterate, {}).text;
}

TEST(Rewriting, TurnsTypographyIntoLookAlikes) {
  EXPECT_EQ(safe("“It’s” – ‘fine’… no—yes"), "\"It's\" - 'fine'... no-yes");
  EXPECT_EQ(safe("a\u00A0b\u2009c\u3000d\te"), "a b c d e");
  EXPECT_EQ(safe("Ｈｅｌｌｏ，１２３"), "Hello,123");
  EXPECT_EQ(safe("oﬃce ﬂag"), "office flag");
  EXPECT_EQ(safe("𝐇𝐞𝐥𝐥𝐨"), "Hello");
  EXPECT_EQ(safe("so\u00ADft\u200B\uFEFF"), "soft");
}

TEST(Rewriting, LeavesLettersAndAccentsAloneWhenSafe) {
  EXPECT_EQ(safe("Ça ê ş Ж ²"), "Ça ê ş Ж ²");
}

TEST(Rewriting, WritesCyrillicByIcaoDoc9303) {
  EXPECT_EQ(latin("Привет, Щукин!"), "Privet, Shchukin!");
  EXPECT_EQ(latin("Ваш код: ЖЩ-7, подъезд Юлии"), "Vash kod: ZHSHCH-7, podieezd Iulii");
  EXPECT_EQ(latin("Київ Їжак єдність Ґанок"), "Kiiv Izhak iednist Ganok");
  EXPECT_EQ(latin("Љубав"), "Ljubav");
}

TEST(Rewriting, WritesGreekInTheCapitalsOfTheAlphabet) {
  EXPECT_EQ(latin("Καλημέρα ΣΑΣ"), "KAΛHMEPA ΣAΣ");
  EXPECT_EQ(latin("ψυχή"), "ΨYXH");
}

TEST(Rewriting, StripsWhatTheAlphabetLacksOfLatinLetters) {
  EXPECT_EQ(latin("İstanbul'da ığ şö çÇ"), "Istanbul'da ig sö cÇ");
  EXPECT_EQ(latin("Łódź Đorđe œuvre ñ ỡ"), "Lodz Dorde oeuvre ñ o");
  EXPECT_EQ(latin("٣ ½ №7 25°"), "3 1/2 No7 25deg");
}

TEST(Rewriting, KeepsWhatItHasNoReplacementFor) {
  EXPECT_EQ(latin("中 😀 ש"), "中 😀 ש");
}

TEST(Rewriting, ReportsEachStretchWhereItStoodInTheOriginal) {
  const Rewritten rewritten = rewrite("a “b” Жё c", Replacement::transliterate, {});

  ASSERT_EQ(rewritten.changes.size(), 3u);
  EXPECT_EQ(rewritten.changes[0].offset, 2u);
  EXPECT_EQ(rewritten.changes[0].from, "“");
  EXPECT_EQ(rewritten.changes[0].to, "\"");
  EXPECT_EQ(rewritten.changes[2].offset, 10u);
  EXPECT_EQ(rewritten.changes[2].from, "Жё");
  EXPECT_EQ(rewritten.changes[2].to, "Zhe");
}

TEST(Rewriting, ComposesBeforeItReplaces) {
  EXPECT_EQ(latin("e\u0301 a\u0301 s\u0327"), "é a s");
}

TEST(Rewriting, ComposesAsIcuDoes) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2& nfc = *icu::Normalizer2::getNFCInstance(status);
  for (const std::string_view text :
       {"e\u0301", "a\u0323\u0307", "q\u0307\u0323", "\u1100\u1161\u11a8", "\u2126", "\u0958",
        "\u09c7\u09be", "plain", "\u0301alone", "o\u0328\u0304x\u0301"}) {
    const auto utf16 = icu::UnicodeString::fromUTF8(
        icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
    std::string expected;
    nfc.normalize(utf16, status).toUTF8String(expected);
    EXPECT_EQ(compose(text).text, expected) << text;
  }
}

TEST(Rewriting, LeavesARunOfMarksThatNoLanguageHas) {
  std::string text = "a";
  for (int count = 0; count < 30000; ++count) text += count % 2 == 0 ? "\u0301" : "\u0323";

  EXPECT_TRUE(compose(text).changes.empty());
}

TEST(Rewriting, RemovesOnlyWhatShowsNothingAndJoinsNothing) {
  EXPECT_EQ(without_invisible("Ж\u200B\u00AD\u2060x").text, "Жx");
  EXPECT_EQ(without_invisible("👩\u200D👧 \u200E").text, "👩\u200D👧 \u200E");
}

TEST(ReplacementTable, IsSortedAndOfGsmCharacters) {
  char32_t last = 0;
  for (const auto& [from, to] : kSafeSubstitutions) {
    EXPECT_GT(from, last);
    last = from;
    for (const char octet : to) EXPECT_TRUE(octet == '\n' || (octet >= ' ' && octet != '`'));
  }
  last = 0;
  for (const auto& [from, to] : kTransliterations) {
    EXPECT_GT(from, last);
    last = from;
  }
  last = 0;
  for (const auto& [from, to] : kCyrillicIcao) {
    EXPECT_GT(from, last);
    last = from;
  }
}

// In the planner: only where it saves a segment.

TEST(SmartReplacement, ChangesNothingThatWouldCostTheSame) {
  PlanOptions options;
  options.replacement = Replacement::transliterate;
  const Plan planned = plan("“short”", options).value();

  EXPECT_EQ(planned.alphabet, Alphabet::ucs2);
  EXPECT_TRUE(planned.replaced.empty());
  EXPECT_TRUE(planned.replacements.empty());
  EXPECT_TRUE(planned.forced_by);
}

TEST(SmartReplacement, KeepsALongTextInGsm7AndReports) {
  const std::string text = std::string(80, 'a') + "…" + std::string(60, 'b');
  PlanOptions options;
  EXPECT_EQ(plan(text, options).value().segments, 3u);
  options.replacement = Replacement::safe;
  const Plan planned = plan(text, options).value();

  EXPECT_EQ(planned.alphabet, Alphabet::gsm7);
  EXPECT_EQ(planned.segments, 1u);
  EXPECT_EQ(planned.replaced, std::string(80, 'a') + "..." + std::string(60, 'b'));
  ASSERT_EQ(planned.replacements.size(), 1u);
  EXPECT_EQ(planned.replacements[0].offset, 80u);
  EXPECT_FALSE(planned.forced_by);
}

TEST(SmartReplacement, ChangesNothingWhenOneCharacterStays) {
  PlanOptions options;
  options.replacement = Replacement::safe;
  const Plan planned = plan("“" + std::string(100, 'a') + "”Ж", options).value();

  EXPECT_EQ(planned.alphabet, Alphabet::ucs2);
  EXPECT_TRUE(planned.replaced.empty());
}

TEST(SmartReplacement, MakesATextSendableInAStrictAlphabet) {
  constexpr std::array kAscii{Alphabet::ascii};
  PlanOptions options;
  options.alphabets = kAscii;
  options.strict = true;
  EXPECT_FALSE(plan("“a”", options));
  options.replacement = Replacement::safe;

  EXPECT_EQ(plan("“a”", options).value().replaced, "\"a\"");
}

TEST(SmartReplacement, DropsInvisibleCharactersThatCostASegment) {
  std::string text;
  for (int count = 0; count < 70; ++count) text += "Ж";
  PlanOptions options;
  options.replacement = Replacement::safe;
  const Plan planned = plan("\uFEFF" + text, options).value();

  EXPECT_EQ(planned.segments, 1u);
  EXPECT_EQ(planned.replaced, text);
  ASSERT_TRUE(planned.forced_by);
}

TEST(Normalisation, LetsADecomposedTextStayInGsm7) {
  const Plan planned = plan("cafe\u0301", {}).value();

  EXPECT_EQ(planned.alphabet, Alphabet::gsm7);
  EXPECT_EQ(planned.replaced, "café");
  ASSERT_EQ(planned.replacements.size(), 1u);
  EXPECT_EQ(planned.replacements[0].offset, 3u);
}

TEST(Normalisation, SavesAUnitInUcs2AndSaysWhatForcedItInTheOriginal) {
  const Plan planned = plan("e\u0301 и\u0306", {}).value();

  EXPECT_EQ(planned.alphabet, Alphabet::ucs2);
  EXPECT_EQ(planned.units, 3u);
  ASSERT_TRUE(planned.forced_by);
  EXPECT_EQ(planned.forced_by.value().code_point, U'и');
  EXPECT_EQ(planned.forced_by.value().offset, 4u);
  EXPECT_EQ(planned.forced_by.value().index, 2u);
}

TEST(Normalisation, ChangesNothingThatSavesNothing) {
  EXPECT_TRUE(plan("\u0958", {}).value().replaced.empty());  // composes to two
  EXPECT_TRUE(plan("\uF900", {}).value().replaced.empty());  // another ideograph, one unit too
}

}  // namespace
}  // namespace stentor::encoding
