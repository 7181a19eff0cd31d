#include "daemon/inbound/first_word.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "encoding/utf8.h"

namespace stentor::daemon {
namespace {

// Longer is no keyword, and a reply may be 64 KiB.
constexpr std::size_t kWordOctetsMax = 128;

bool is_part_of_word(char32_t c) {
  const auto point = static_cast<UChar32>(c);
  if (u_isalnum(point) != 0) return true;
  const auto type = u_charType(point);
  return type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK;
}

bool is_joiner(char32_t c) {
  return c == '-' || c == '\'' || c == 0x2019 || c == 0x2010 || c == 0x2011;
}

// One form for all ways to write it: small or capital, full width, accents composed or not.
std::string folded(const std::string& word) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* fold = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) return word;
  icu::UnicodeString form = fold->normalize(icu::UnicodeString::fromUTF8(word), status);
  if (U_FAILURE(status)) return word;
  // A Turkish phone's capital i has a dot, and folding leaves it behind the letter.
  constexpr char16_t kDottedSmallI[] = u"i\u0307";
  form.findAndReplace(kDottedSmallI, u"i");
  std::string text;
  form.toUTF8String(text);
  return text;
}

}  // namespace

FirstWord first_word(std::string_view text) {
  FirstWord found;
  bool is_over = false;
  bool is_alone = true;
  for (std::size_t at = 0; at < text.size();) {
    const encoding::CodePoint c = encoding::checked_code_point(text, at);
    at += c.octets == 0 ? 1 : c.octets;
    const bool belongs = c.octets > 0 && is_part_of_word(c.value);
    if (is_over) {
      if (!belongs) continue;
      is_alone = false;
      break;
    } else if (belongs) {
      if (found.word.size() >= kWordOctetsMax) return {};
      encoding::append_utf8(found.word, c.value);
    } else if (!found.word.empty() && !is_joiner(c.value)) {
      is_over = true;
    }
  }
  if (found.word.empty()) return {};
  found.word = folded(found.word);
  found.is_alone = is_alone;
  return found;
}

}  // namespace stentor::daemon
