// The tables against sources that are not ours: ICU's converter, Perl's Encode::GSM0338, and for
// the national tables ICU's script properties and a fingerprint of what two other programs carry.
#include "encoding/gsm_alphabet.h"

#include <gtest/gtest.h>
#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/uscript.h>

#include <array>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>

#include "encoding/gsm_locking_tables.h"
#include "encoding/gsm_single_shift_tables.h"

namespace stentor::encoding {
namespace {

std::string octets_of(GsmCode code) {
  std::string octets;
  if (code.is_escaped()) octets.push_back(static_cast<char>(kEscape));
  if (code.exists()) octets.push_back(static_cast<char>(code.septet()));
  return octets;
}

class IcuConverter {
 public:
  IcuConverter() {
    UErrorCode status = U_ZERO_ERROR;
    converter_.reset(ucnv_open("gsm-03.38-2009", &status));
    ucnv_setFromUCallBack(converter_.get(), UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr,
                          &status);
    ucnv_setFallback(converter_.get(), false);
    EXPECT_TRUE(U_SUCCESS(status));
  }
  // Nothing when ICU has no code for it.
  std::string encode(char32_t code_point) {
    std::array<UChar, 2> units{};
    std::int32_t count = 0;
    U16_APPEND_UNSAFE(units, count, static_cast<UChar32>(code_point));
    std::array<char, 8> out{};
    UErrorCode status = U_ZERO_ERROR;
    ucnv_reset(converter_.get());
    const std::int32_t octets =
        ucnv_fromUChars(converter_.get(), out.data(), out.size(), units.data(), count, &status);
    if (U_FAILURE(status)) return {};
    return {out.data(), static_cast<std::size_t>(octets)};
  }
  std::u16string decode(std::string_view octets) {
    std::array<UChar, 8> out{};
    UErrorCode status = U_ZERO_ERROR;
    ucnv_reset(converter_.get());
    const std::int32_t units =
        ucnv_toUChars(converter_.get(), out.data(), out.size(), octets.data(),
                      static_cast<int>(octets.size()), &status);
    return {out.data(), static_cast<std::size_t>(units)};
  }

 private:
  struct Closer {
    void operator()(UConverter* converter) const { ucnv_close(converter); }
  };
  std::unique_ptr<UConverter, Closer> converter_;
};

TEST(GsmAlphabet, EncodesEveryCodePointAsIcuDoes) {
  IcuConverter icu;
  std::size_t codes = 0;
  for (char32_t code_point = 1; code_point <= 0x10ffff; ++code_point) {
    if (code_point >= 0xd800 && code_point < 0xe000) continue;
    const GsmCode code = default_code_of(code_point);
    codes += code.exists() ? 1u : 0u;
    ASSERT_EQ(octets_of(code), icu.encode(code_point)) << std::hex << std::uint32_t{code_point};
    ASSERT_EQ(octets_of(code_of(code_point, {})), octets_of(code));
  }
  EXPECT_EQ(codes, 137u);  // 127 of the main table and ten of its extension
}

TEST(GsmAlphabet, DecodesEverySeptetAsIcuDoes) {
  IcuConverter icu;
  for (std::uint8_t septet = 0; septet < 128; ++septet) {
    if (septet == kEscape) continue;
    const char octet = static_cast<char>(septet);
    EXPECT_EQ(icu.decode(std::string(1, octet)), std::u16string(1, character_of(septet, {})));
    if (kSingleShiftTables[0][septet] == 0) continue;
    EXPECT_EQ(icu.decode(std::string{static_cast<char>(kEscape), octet}),
              std::u16string(1, escaped_character_of(septet, {})));
  }
}

TEST(GsmAlphabet, EncodesWhatPerlEncodes) {
  constexpr const char* kScript =
      "perl -MEncode -MEncode::GSM0338 -e 'for my $u (1..0x3000) { my $c = chr $u; "
      "my $o = eval { encode(q{gsm0338}, $c, Encode::FB_CROAK) }; "
      "printf qq{%x %s\\n}, $u, unpack(q{H*}, $o) if defined $o && length $o }' 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(kScript, "r"), pclose);
  ASSERT_TRUE(pipe);
  std::size_t codes = 0;
  std::array<char, 64> line{};
  while (std::fgets(line.data(), line.size(), pipe.get()) != nullptr) {
    std::istringstream words(line.data());
    std::uint32_t code_point = 0;
    std::string theirs;
    words >> std::hex >> code_point >> theirs;
    std::string ours;
    for (const char octet : octets_of(default_code_of(code_point))) {
      std::array<char, 3> hex{};
      std::snprintf(hex.data(), hex.size(), "%02x", static_cast<unsigned>(octet));
      ours += hex.data();
    }
    EXPECT_EQ(ours, theirs) << std::hex << code_point;
    ++codes;
  }
  if (codes == 0) GTEST_SKIP() << "this perl has no Encode::GSM0338";
  EXPECT_EQ(codes, 137u);
}

TEST(GsmAlphabet, ShowsTheMainCharacterWhereTheExtensionHasNone) {
  EXPECT_EQ(escaped_character_of('A', {}), u'A');
  EXPECT_EQ(escaped_character_of(0x00, {}), u'@');
  EXPECT_EQ(escaped_character_of('A', {.locking = NationalLanguage::turkish}), u'A');
}

TEST(GsmAlphabet, ShowsASpaceForAnEscapedEscapeAndForVoidCodes) {
  EXPECT_EQ(escaped_character_of(kEscape, {}), u' ');
  EXPECT_EQ(character_of(0x0c, {.locking = NationalLanguage::bengali}), u' ');
}

TEST(NationalTables, GiveBackEveryCharacterTheyEncode) {
  for (std::size_t locking = 0; locking <= kNationalLanguages; ++locking) {
    for (std::size_t single = 0; single <= kNationalLanguages; ++single) {
      const Shifts shifts{static_cast<NationalLanguage>(locking),
                          static_cast<NationalLanguage>(single)};
      for (char32_t code_point = 1; code_point < 0x2300; ++code_point) {
        const GsmCode code = code_of(code_point, shifts);
        const TablesWith with = tables_with(code_point);
        const bool expected = ((with.locking >> locking & 1u) | (with.single >> single & 1u)) != 0;
        ASSERT_EQ(code.exists(), expected);
        if (!code.exists()) continue;
        ASSERT_EQ(code.is_escaped() ? escaped_character_of(code.septet(), shifts)
                                    : character_of(code.septet(), shifts),
                  code_point);
      }
    }
  }
}

// Letters of a table are of its language's script, of Latin, or of none.
TEST(NationalTables, HoldLettersOfTheirOwnScript) {
  constexpr std::array kScripts{
      USCRIPT_LATIN,    USCRIPT_LATIN,      USCRIPT_LATIN,   USCRIPT_LATIN,     USCRIPT_BENGALI,
      USCRIPT_GUJARATI, USCRIPT_DEVANAGARI, USCRIPT_KANNADA, USCRIPT_MALAYALAM, USCRIPT_ORIYA,
      USCRIPT_GURMUKHI, USCRIPT_TAMIL,      USCRIPT_TELUGU,  USCRIPT_ARABIC};
  for (std::size_t language = 0; language <= kNationalLanguages; ++language) {
    for (const auto* tables : {&kLockingShiftTables, &kSingleShiftTables}) {
      for (const char16_t character : (*tables)[language]) {
        UErrorCode status = U_ZERO_ERROR;
        const UScriptCode script = uscript_getScript(character, &status);
        const bool of_latin_table = language <= 3 && script == USCRIPT_GREEK;
        EXPECT_TRUE(script == kScripts[language] || script == USCRIPT_LATIN ||
                    script == USCRIPT_COMMON || script == USCRIPT_INHERITED || of_latin_table)
            << language << " U+" << std::hex << std::uint32_t{character};
        EXPECT_TRUE(character == 0 || u_isdefined(character));
      }
    }
  }
}

// Unicode lays these scripts out alike, after ISCII, and annex A.3 follows it: a code stands for
// the same letter of each script, as far as the script has it.
TEST(NationalTables, LayTheIndicScriptsOutAlike) {
  constexpr std::size_t kHindi = 6;
  for (std::size_t language = 4; language <= 12; ++language) {
    for (std::size_t septet = 0; septet < 0x60; ++septet) {
      const char16_t hindi = kLockingShiftTables[kHindi][septet];
      const char16_t other = kLockingShiftTables[language][septet];
      if (other == 0) continue;
      const bool is_letter = hindi >= 0x900;
      EXPECT_EQ(is_letter ? hindi & 0x7f : hindi, is_letter ? other & 0x7f : other)
          << language << " at " << septet;
    }
  }
}

// docs/encoding.md says what this was compared with, and where those differ from the standard.
TEST(NationalTables, AreTheOnesThatWereCompared) {
  std::uint64_t fingerprint = 0xcbf29ce484222325;  // FNV-1a
  for (const auto* tables : {&kLockingShiftTables, &kSingleShiftTables}) {
    for (const SeptetTable& table : *tables) {
      for (const char16_t character : table) {
        fingerprint = (fingerprint ^ character) * 0x100000001b3;
      }
    }
  }
  EXPECT_EQ(fingerprint, 0x1a4c0d657962e3c3u);
}

}  // namespace
}  // namespace stentor::encoding
