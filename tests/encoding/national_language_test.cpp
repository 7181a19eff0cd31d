#include "encoding/national_language.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "encoding/decoder.h"
#include "encoding/segmenter.h"

namespace stentor::encoding {
namespace {

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  while (times-- > 0) all += text;
  return all;
}

PlanOptions allowing(std::initializer_list<NationalLanguage> languages) {
  PlanOptions options;
  for (const NationalLanguage language : languages) options.national.allow(language);
  return options;
}

TEST(NationalLanguage, IsNamedByItsCode) {
  for (std::uint8_t identifier = 1; identifier <= kNationalLanguages; ++identifier) {
    const auto language = static_cast<NationalLanguage>(identifier);
    EXPECT_EQ(national_language_of(code_of(language)), language);
  }
  EXPECT_EQ(national_language_of("tr"), NationalLanguage::turkish);
  EXPECT_EQ(national_language_of("ur"), NationalLanguage::urdu);
  EXPECT_FALSE(national_language_of("de"));
  EXPECT_FALSE(national_language_of(""));
  EXPECT_EQ(code_of(NationalLanguage::none), "");
}

TEST(NationalTables, AreNotUsedUnlessAllowed) {
  EXPECT_EQ(plan("şu", {}).value().alphabet, Alphabet::ucs2);
}

TEST(NationalTables, TakeASingleShiftForAFewLetters) {
  const Plan planned = plan("şu", allowing({NationalLanguage::turkish})).value();

  EXPECT_EQ(planned.alphabet, Alphabet::gsm7);
  EXPECT_EQ(planned.single_shift, NationalLanguage::turkish);
  EXPECT_EQ(planned.locking_shift, NationalLanguage::none);
  EXPECT_EQ(planned.units, 3u);
  std::array<std::uint8_t, kPartOctetsMax> out{};
  const auto encoded = encode_part("şu", planned, 0, Concatenation::udh8, {}, out);
  EXPECT_EQ(std::vector(out.begin(), out.begin() + encoded.octets),
            (std::vector<std::uint8_t>{3, 0x24, 1, 1, 0x1b, 's', 'u'}));
  EXPECT_EQ(encoded.header_octets, 4u);
}

TEST(NationalTables, TakeALockingShiftWhereItSavesASegment) {
  const Plan planned = plan(repeat("ş", 155), allowing({NationalLanguage::turkish})).value();

  EXPECT_EQ(planned.segments, 1u);
  EXPECT_EQ(planned.locking_shift, NationalLanguage::turkish);
  EXPECT_EQ(planned.single_shift, NationalLanguage::none);
}

// TS 23.040: four octets of header for one table, seven for two; with the reference nine and
// twelve.
TEST(NationalTables, TakeTheirRoomInTheHeader) {
  const auto turkish = allowing({NationalLanguage::turkish});
  EXPECT_EQ(plan(repeat("ş", 155), turkish).value().parts.size(), 1u);
  EXPECT_EQ(plan(repeat("ş", 156), turkish).value().parts[0].units, 149u);

  // Hindi letters by locking shift, capitals by single shift: both elements.
  const auto hindi = allowing({NationalLanguage::hindi});
  const std::string both = "A" + repeat("क", 150);
  const Plan alone = plan(both, hindi).value();
  EXPECT_EQ(alone.single_shift, NationalLanguage::hindi);
  EXPECT_EQ(alone.locking_shift, NationalLanguage::hindi);
  EXPECT_EQ(alone.units, 152u);
  EXPECT_EQ(alone.parts.size(), 1u);
  EXPECT_EQ(plan(both + "क", hindi).value().parts[0].units, 146u);
}

TEST(NationalTables, StayOutWhereTheDefaultTablesDoAsWell) {
  const Plan planned = plan("Hello", allowing({NationalLanguage::turkish})).value();

  EXPECT_EQ(planned.single_shift, NationalLanguage::none);
  EXPECT_EQ(planned.locking_shift, NationalLanguage::none);
}

TEST(NationalTables, ReplaceTheDefaultOnesWhereThatSavesASegment) {
  // Portuguese has the circumflex in its main table.
  const Plan planned = plan(repeat("^", 150), allowing({NationalLanguage::portuguese})).value();

  EXPECT_EQ(planned.segments, 1u);
  EXPECT_EQ(planned.locking_shift, NationalLanguage::portuguese);
}

TEST(NationalTables, CombineTwoLanguages) {
  const Plan planned =
      plan("ş ã", allowing({NationalLanguage::turkish, NationalLanguage::portuguese})).value();

  EXPECT_EQ(planned.alphabet, Alphabet::gsm7);
  EXPECT_NE(planned.single_shift, planned.locking_shift);
}

TEST(NationalTables, SayWhatForcedUcs2AllTheSame) {
  const Plan planned = plan("şu Ж", allowing({NationalLanguage::turkish})).value();

  EXPECT_EQ(planned.alphabet, Alphabet::ucs2);
  ASSERT_TRUE(planned.forced_by);
  EXPECT_EQ(planned.forced_by.value().code_point, U'Ж');
}

TEST(NationalTables, NeverCutAnIndicSyllable) {
  const auto hindi = allowing({NationalLanguage::hindi});
  const Plan planned = plan(repeat("क", 147) + "क्षि" + repeat("क", 20), hindi).value();

  ASSERT_EQ(planned.parts.size(), 2u);
  EXPECT_EQ(planned.parts[0].units, 147u);
}

TEST(NationalTables, ReadBackWithEveryLanguage) {
  struct Sample {
    NationalLanguage language;
    std::string_view text;
  };
  for (const auto& [language, text] :
       {Sample{NationalLanguage::turkish, "Çığ düştü, şüphe yok"},
        Sample{NationalLanguage::spanish, "¿Qué pasó? Mañana será útil"},
        Sample{NationalLanguage::portuguese, "Informação não é só ilusão"},
        Sample{NationalLanguage::bengali, "আমার সোনার বাংলা"},
        Sample{NationalLanguage::gujarati, "ગુજરાતી ભાષા"},
        Sample{NationalLanguage::hindi, "आपका कोड 1234 है। धन्यवाद"},
        Sample{NationalLanguage::kannada, "ಕನ್ನಡ ಭಾಷೆ"},
        Sample{NationalLanguage::malayalam, "മലയാളം ഭാഷ"},
        Sample{NationalLanguage::oriya, "ଓଡ଼ିଆ ଭାଷା"},
        Sample{NationalLanguage::punjabi, "ਪੰਜਾਬੀ ਭਾਸ਼ਾ"},
        Sample{NationalLanguage::tamil, "தமிழ் மொழி"}, Sample{NationalLanguage::telugu, "తెలుగు భాష"},
        Sample{NationalLanguage::urdu, "آپ کا کوڈ ہے"}}) {
    const Plan planned = plan(text, allowing({language})).value();
    EXPECT_EQ(planned.alphabet, Alphabet::gsm7) << text;
    std::array<std::uint8_t, kPartOctetsMax> out{};
    const auto encoded = encode_part(text, planned, 0, Concatenation::udh8, {}, out);
    const std::string back =
        decode_part(planned.alphabet, std::span(out).first(encoded.octets), true);
    EXPECT_EQ(back, planned.replaced.empty() ? text : planned.replaced);
  }
}

}  // namespace
}  // namespace stentor::encoding
