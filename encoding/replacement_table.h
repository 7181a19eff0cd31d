// Which characters stand in for which, reviewed by hand.
//
// Sorted by code point. What ICU's decompositions give already (full-width and mathematical forms,
// accented letters) is not repeated here.
//
// Threads  Constant tables.
#pragma once

#include <string_view>

namespace stentor::encoding {

struct Substitution {
  char32_t from = 0;
  std::string_view to;
};

/// Look-alikes: a reader notices nothing, or hardly.
// clang-format off
inline constexpr Substitution kSafeSubstitutions[] = {
    {0x0009, " "},                                                      // tab
    {0x0060, "'"},                                                      // grave accent
    {0x0085, "\n"},                                                     // next line
    {0x00a0, " "}, {0x00a6, "|"}, {0x00ab, "\""}, {0x00ad, ""},         // NBSP, ¦, «, soft hyphen
    {0x00b4, "'"}, {0x00b8, ","}, {0x00bb, "\""},                       // ´, cedilla, »
    {0x0132, "IJ"}, {0x0133, "ij"},
    {0x01c0, "|"}, {0x01c3, "!"},
    {0x02b9, "'"}, {0x02ba, "\""}, {0x02bb, "'"}, {0x02bc, "'"}, {0x02bd, "'"},
    {0x02c6, "^"}, {0x02c8, "'"}, {0x02ca, "'"}, {0x02cb, "'"}, {0x02d0, ":"}, {0x02dc, "~"},
    {0x034f, ""},                                                       // grapheme joiner
    {0x037e, ";"},                                                      // Greek question mark
    {0x0387, "."},                                                      // Greek ano teleia
    {0x05be, "-"}, {0x05c3, ":"}, {0x05f3, "'"}, {0x05f4, "\""},
    {0x061c, ""},                                                       // Arabic letter mark
    {0x1680, " "}, {0x180e, ""},
    {0x2000, " "}, {0x2001, " "}, {0x2002, " "}, {0x2003, " "}, {0x2004, " "}, {0x2005, " "},
    {0x2006, " "}, {0x2007, " "}, {0x2008, " "}, {0x2009, " "}, {0x200a, " "},
    {0x200b, ""}, {0x200c, ""}, {0x200d, ""}, {0x200e, ""}, {0x200f, ""},
    {0x2010, "-"}, {0x2011, "-"}, {0x2012, "-"}, {0x2013, "-"}, {0x2014, "-"}, {0x2015, "-"},
    {0x2018, "'"}, {0x2019, "'"}, {0x201a, "'"}, {0x201b, "'"},
    {0x201c, "\""}, {0x201d, "\""}, {0x201e, "\""}, {0x201f, "\""},
    {0x2024, "."}, {0x2025, ".."}, {0x2026, "..."},
    {0x2028, "\n"}, {0x2029, "\n"},
    {0x202a, ""}, {0x202b, ""}, {0x202c, ""}, {0x202d, ""}, {0x202e, ""}, {0x202f, " "},
    {0x2032, "'"}, {0x2033, "\""}, {0x2035, "'"}, {0x2036, "\""},
    {0x2039, "<"}, {0x203a, ">"}, {0x203c, "!!"},
    {0x2043, "-"}, {0x2044, "/"}, {0x2047, "??"}, {0x2048, "?!"}, {0x2049, "!?"},
    {0x204e, "*"}, {0x2053, "~"}, {0x205f, " "}, {0x2060, ""},
    {0x2061, ""}, {0x2062, ""}, {0x2063, ""}, {0x2064, ""},
    {0x2066, ""}, {0x2067, ""}, {0x2068, ""}, {0x2069, ""},
    {0x206a, ""}, {0x206b, ""}, {0x206c, ""}, {0x206d, ""}, {0x206e, ""}, {0x206f, ""},
    {0x2212, "-"}, {0x2215, "/"}, {0x2216, "\\"}, {0x2217, "*"}, {0x2223, "|"}, {0x2236, ":"},
    {0x223c, "~"}, {0x226a, "<<"}, {0x226b, ">>"},
    {0x2500, "-"}, {0x2501, "-"}, {0x2502, "|"}, {0x2503, "|"},
    {0x2758, "|"}, {0x275b, "'"}, {0x275c, "'"}, {0x275d, "\""}, {0x275e, "\""},
    {0x2768, "("}, {0x2769, ")"}, {0x276e, "<"}, {0x276f, ">"}, {0x2795, "+"}, {0x2796, "-"},
    {0x2e3a, "--"}, {0x2e3b, "---"},
    {0x3000, " "}, {0x3001, ","}, {0x3002, "."}, {0x3008, "<"}, {0x3009, ">"},
    {0x301c, "~"}, {0x301d, "\""}, {0x301e, "\""}, {0x301f, "\""},
    {0xfb00, "ff"}, {0xfb01, "fi"}, {0xfb02, "fl"}, {0xfb03, "ffi"}, {0xfb04, "ffl"},
    {0xfb05, "st"}, {0xfb06, "st"},
    {0xfe0e, ""}, {0xfe0f, ""},                                         // variation selectors
    {0xfeff, ""},                                                       // byte order mark
};

/// A reader notices: signs spelt out, letters without their accent where ICU has no decomposition.
inline constexpr Substitution kTransliterations[] = {
    {0x00a2, "c"}, {0x00a9, "(C)"}, {0x00ac, "-"}, {0x00ae, "(R)"},
    {0x00b0, "deg"}, {0x00b1, "+/-"}, {0x00b2, "2"}, {0x00b3, "3"}, {0x00b5, "u"}, {0x00b7, "."},
    {0x00b9, "1"}, {0x00bc, "1/4"}, {0x00bd, "1/2"}, {0x00be, "3/4"},
    {0x00c6, "AE"}, {0x00d0, "D"}, {0x00d7, "x"}, {0x00d8, "O"}, {0x00de, "Th"}, {0x00df, "ss"},
    {0x00e6, "ae"}, {0x00f0, "d"}, {0x00f7, "/"}, {0x00f8, "o"}, {0x00fe, "th"},
    {0x0110, "D"}, {0x0111, "d"}, {0x0126, "H"}, {0x0127, "h"}, {0x0131, "i"}, {0x0138, "q"},
    {0x0141, "L"}, {0x0142, "l"}, {0x0149, "'n"}, {0x014a, "N"}, {0x014b, "n"},
    {0x0152, "OE"}, {0x0153, "oe"}, {0x0166, "T"}, {0x0167, "t"}, {0x017f, "s"},
    {0x0180, "b"}, {0x018f, "A"}, {0x0192, "f"}, {0x0259, "a"}, {0x1e9e, "SS"},
    {0x2020, "+"}, {0x2022, "*"}, {0x2023, ">"}, {0x2030, "o/oo"},
    {0x20a4, "£"}, {0x20b4, "UAH"}, {0x20b8, "KZT"}, {0x20b9, "Rs"}, {0x20ba, "TL"},
    {0x20bc, "AZN"}, {0x20bd, "RUB"}, {0x20be, "GEL"},
    {0x2116, "No"}, {0x2117, "(P)"}, {0x2122, "(TM)"},
    {0x2190, "<-"}, {0x2192, "->"}, {0x21d2, "=>"},
    {0x2248, "~"}, {0x2260, "!="}, {0x2264, "<="}, {0x2265, ">="},
};

/// ICAO Doc 9303 part 3 section 6 B, the recommended transliteration of Cyrillic, without what is
/// particular to one state's documents. U+0400 to U+045F, then the Ukrainian letters after them.
inline constexpr Substitution kCyrillicIcao[] = {
    {0x0401, "E"}, {0x0402, "D"}, {0x0403, "G"}, {0x0404, "IE"}, {0x0405, "DZ"}, {0x0406, "I"},
    {0x0407, "I"}, {0x0408, "J"}, {0x0409, "LJ"}, {0x040a, "NJ"}, {0x040b, "C"}, {0x040c, "K"},
    {0x040e, "U"}, {0x040f, "DZ"},
    {0x0410, "A"}, {0x0411, "B"}, {0x0412, "V"}, {0x0413, "G"}, {0x0414, "D"}, {0x0415, "E"},
    {0x0416, "ZH"}, {0x0417, "Z"}, {0x0418, "I"}, {0x0419, "I"}, {0x041a, "K"}, {0x041b, "L"},
    {0x041c, "M"}, {0x041d, "N"}, {0x041e, "O"}, {0x041f, "P"}, {0x0420, "R"}, {0x0421, "S"},
    {0x0422, "T"}, {0x0423, "U"}, {0x0424, "F"}, {0x0425, "KH"}, {0x0426, "TS"}, {0x0427, "CH"},
    {0x0428, "SH"}, {0x0429, "SHCH"}, {0x042a, "IE"}, {0x042b, "Y"}, {0x042c, ""}, {0x042d, "E"},
    {0x042e, "IU"}, {0x042f, "IA"},
    {0x046a, "U"}, {0x0474, "Y"}, {0x0490, "G"}, {0x0492, "F"}, {0x04ae, "U"}, {0x04ba, "C"},
};

/// Greek to capitals, as the GSM alphabet was made for: what it lacks looks like a Latin capital.
/// U+0391 to U+03A9; a space where the alphabet has the letter itself (and at U+03A2, which is none).
inline constexpr std::string_view kGreekCapitals = "AB  EZH IK MN O P  TY X  ";
static_assert(kGreekCapitals.size() == 0x3a9 - 0x391 + 1);
// clang-format on

}  // namespace stentor::encoding
