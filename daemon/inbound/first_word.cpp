#include "daemon/inbound/first_word.h"

#include <unicode/uchar.h>

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

}  // namespace

FirstWord first_word(std::string_view text) {
  FirstWord found;
  bool is_over = false;
  for (std::size_t at = 0; at < text.size();) {
    const encoding::CodePoint c = encoding::checked_code_point(text, at);
    at += c.octets == 0 ? 1 : c.octets;
    const bool belongs = c.octets > 0 && is_part_of_word(c.value);
    if (is_over) {
      if (belongs) return found;
    } else if (belongs) {
      if (found.word.size() >= kWordOctetsMax) return {};
      const auto folded = u_foldCase(static_cast<UChar32>(c.value), U_FOLD_CASE_DEFAULT);
      encoding::append_utf8(found.word, static_cast<char32_t>(folded));
    } else if (!found.word.empty() && !is_joiner(c.value)) {
      is_over = true;
    }
  }
  found.is_alone = !found.word.empty();
  return found;
}

}  // namespace stentor::daemon
