#include "encoding/rewriting.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <ranges>

#include "encoding/gsm_alphabet.h"
#include "encoding/octet_alphabets.h"
#include "encoding/replacement_table.h"
#include "encoding/text_survey.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

// UAX #15 section 13: 30 combining marks are more than any language needs. Past it ICU's reordering
// grows with the square of the run, and a peer could write 64 KiB of it.
constexpr std::size_t kComposedCodePointsMax = 32;

constexpr int kSubstitutionDepth = 3;  // é in ligature in full-width: nothing real is deeper

const icu::Normalizer2& normalizer(bool compatibility) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* found = compatibility ? icu::Normalizer2::getNFKDInstance(status)
                                                : icu::Normalizer2::getNFCInstance(status);
  assert(U_SUCCESS(status) && "ICU has its normalization data");
  return *found;
}

bool has(char32_t code_point, const Target& target) noexcept {
  switch (target.alphabet) {
    case Alphabet::gsm7:
    case Alphabet::gsm7_packed: {
      if (default_code_of(code_point).exists()) return true;
      if (target.national.is_empty()) return false;
      const TablesWith with = tables_with(code_point);
      return ((with.locking | with.single) & target.national.bits()) != 0;
    }
    case Alphabet::latin1: return is_latin1(code_point);
    case Alphabet::ascii: return is_ascii(code_point);
    case Alphabet::ucs2: return true;
  }
  return true;
}

std::optional<std::string_view> look_up(std::span<const Substitution> table, char32_t code_point) {
  const auto found = std::ranges::lower_bound(table, code_point, {}, &Substitution::from);
  if (found == table.end() || found->from != code_point) return std::nullopt;
  return found->to;
}

UChar32 icu_code_point(char32_t code_point) noexcept {
  return static_cast<UChar32>(code_point);
}

// The neighbours of a character, by which the capitals of its replacement are chosen.
struct Neighbours {
  char32_t before = 0;
  char32_t after = 0;
};

// Щ is Shch, but SHCH among capitals.
std::string in_case_of(std::string_view capitals, char32_t original, Neighbours beside) {
  std::string text(capitals);
  const auto is_upper = [](char32_t letter) { return u_isupper(icu_code_point(letter)) != 0; };
  const auto is_lower = [](char32_t letter) { return u_islower(icu_code_point(letter)) != 0; };
  std::size_t kept = text.size();
  if (!is_upper(original)) {
    kept = 0;
  } else if (!is_upper(beside.after) && (is_lower(beside.after) || !is_upper(beside.before))) {
    kept = 1;
  }
  for (std::size_t at = std::min(kept, text.size()); at < text.size(); ++at) {
    if (text[at] >= 'A' && text[at] <= 'Z') text[at] = static_cast<char>(text[at] + ('a' - 'A'));
  }
  return text;
}

std::optional<std::string> cyrillic(char32_t code_point, Neighbours beside) {
  if (code_point < 0x400 || code_point >= 0x530) return std::nullopt;
  const auto upper = static_cast<char32_t>(u_toupper(icu_code_point(code_point)));
  const auto capitals = look_up(kCyrillicIcao, upper);
  if (!capitals) return std::nullopt;
  return in_case_of(*capitals, code_point, beside);
}

std::optional<std::string> greek(char32_t code_point) {
  const auto upper = static_cast<char32_t>(u_toupper(icu_code_point(code_point)));
  if (upper < 0x391 || upper > 0x3a9) return std::nullopt;
  const char capital = kGreekCapitals[upper - 0x391];
  if (capital != ' ') return std::string(1, capital);
  std::string text;
  append_utf8(text, upper);
  return text;
}

// What ICU's compatibility decomposition makes of a character, marks left out when `bare`.
std::u32string decomposed(char32_t code_point, bool bare) {
  icu::UnicodeString decomposition;
  std::u32string parts;
  if (normalizer(true).getDecomposition(icu_code_point(code_point), decomposition) == 0)
    return parts;
  for (std::int32_t at = 0; at < decomposition.length();) {
    const UChar32 part = decomposition.char32At(at);
    at += U16_LENGTH(part);
    if (!bare || u_charType(part) != U_NON_SPACING_MARK) {
      parts.push_back(static_cast<char32_t>(part));
    }
  }
  return parts;
}

// Full-width and half-width, mathematical and small forms: the same letter in another costume.
bool is_costume(char32_t code_point) noexcept {
  switch (u_getIntPropertyValue(icu_code_point(code_point), UCHAR_DECOMPOSITION_TYPE)) {
    case U_DT_WIDE:
    case U_DT_NARROW:
    case U_DT_FONT:
    case U_DT_SMALL: return true;
    default: return false;
  }
}

std::optional<std::string> substitute(char32_t code_point, Replacement replacement,
                                      const Target& target, Neighbours beside, int depth);

std::optional<std::string> substitute_each(std::u32string_view parts, Replacement replacement,
                                           const Target& target, Neighbours beside, int depth) {
  if (parts.empty()) return std::nullopt;
  std::string text;
  for (const char32_t part : parts) {
    const auto replaced = substitute(part, replacement, target, beside, depth);
    if (!replaced) return std::nullopt;
    text += *replaced;
  }
  return text;
}

// A character as `target` has it: itself, or what stands in for it; nothing when nothing does.
std::optional<std::string> substitute(char32_t code_point, Replacement replacement,
                                      const Target& target, Neighbours beside, int depth) {
  if (has(code_point, target)) {
    std::string same;
    append_utf8(same, code_point);
    return same;
  }
  if (depth == 0 || replacement == Replacement::none) return std::nullopt;
  if (const auto look_alike = look_up(kSafeSubstitutions, code_point))
    return std::string(*look_alike);
  if (is_costume(code_point)) {
    if (auto plain = substitute_each(decomposed(code_point, false), replacement, target, beside,
                                     depth - 1)) {
      return plain;
    }
  }
  if (replacement != Replacement::transliterate) return std::nullopt;

  if (auto latin = cyrillic(code_point, beside)) return latin;
  const bool gsm = target.alphabet == Alphabet::gsm7 || target.alphabet == Alphabet::gsm7_packed;
  if (gsm) {
    if (auto capital = greek(code_point)) return capital;
  }
  if (const auto spelt = look_up(kTransliterations, code_point)) {
    if (std::ranges::all_of(*spelt, [](char octet) { return !is_continuation(octet); })) {
      return std::string(*spelt);
    }
    const CodePoint sign = code_point_at(*spelt, 0);
    return substitute(sign.value, replacement, target, beside, depth - 1);
  }
  if (const std::int32_t digit = u_charDigitValue(icu_code_point(code_point)); digit >= 0) {
    return std::string(1, static_cast<char>('0' + digit));
  }
  if (u_charType(icu_code_point(code_point)) == U_NON_SPACING_MARK &&
      u_getCombiningClass(icu_code_point(code_point)) != 0) {
    return std::string();  // an accent that composed with nothing
  }
  return substitute_each(decomposed(code_point, true), replacement, target, beside, depth - 1);
}

// Where the stretch ends that composes as one.
std::size_t stretch_end(std::string_view text, std::size_t at, std::size_t* code_points) {
  const icu::Normalizer2& nfc = normalizer(false);
  *code_points = 0;
  do {
    at += code_point_at(text, at).octets;
    ++*code_points;
  } while (at < text.size() &&
           nfc.hasBoundaryBefore(icu_code_point(code_point_at(text, at).value)) == 0);
  return at;
}

std::u32string composed(std::string_view stretch, std::size_t code_points) {
  std::u32string out;
  bool composes = false;
  for (std::size_t at = 0; at < stretch.size();) {
    const CodePoint next = code_point_at(stretch, at);
    composes |= may_compose(next.value);
    out.push_back(next.value);
    at += next.octets;
  }
  if (!composes || code_points > kComposedCodePointsMax) return out;
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString normal =
      normalizer(false).normalize(icu::UnicodeString::fromUTF8(icu::StringPiece(
                                      stretch.data(), static_cast<std::int32_t>(stretch.size()))),
                                  status);
  assert(U_SUCCESS(status) && "ICU normalizes any text");
  out.clear();
  for (std::int32_t at = 0; at < normal.length();) {
    const UChar32 next = normal.char32At(at);
    out.push_back(static_cast<char32_t>(next));
    at += U16_LENGTH(next);
  }
  return out;
}

// The usual case by far: a mark that does not combine with the letter before it.
bool cannot_compose(const icu::Normalizer2& nfc, char32_t before, char32_t mark) {
  return u_getIntPropertyValue(icu_code_point(mark), UCHAR_NFC_QUICK_CHECK) == UNORM_MAYBE &&
         before != 0 && u_getCombiningClass(icu_code_point(before)) == 0 &&
         nfc.composePair(icu_code_point(before), icu_code_point(mark)) < 0;
}

class Rewriter {
 public:
  explicit Rewriter(std::string_view text) : text_(text) { out_.text.reserve(text.size()); }

  /// The next stretch of the text, up to `end`, reads `to`.
  void say(std::size_t end, std::string_view to) {
    const std::string_view from = text_.substr(at_, end - at_);
    if (from != to) {
      if (!out_.changes.empty() && changed_to_ == at_) {
        out_.changes.back().from += from;
        out_.changes.back().to += to;
      } else {
        out_.changes.push_back(
            {static_cast<std::uint32_t>(at_), std::string(from), std::string(to)});
      }
      changed_to_ = end;
    }
    out_.text += to;
    at_ = end;
  }
  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  [[nodiscard]] bool is_done() const noexcept { return at_ == text_.size(); }
  [[nodiscard]] Rewritten take() noexcept { return std::move(out_); }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t changed_to_ = 0;
  Rewritten out_;
};

}  // namespace

Rewritten compose(std::string_view text) {
  const icu::Normalizer2& nfc = normalizer(false);
  Rewriter rewriter(text);
  std::size_t said = 0;  // the end of the last stretch
  char32_t before = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = code_point_at(text, at);
    const bool stays = !may_compose(next.value) || cannot_compose(nfc, before, next.value);
    before = next.value;
    if (stays) {
      at += next.octets;
      continue;
    }
    // The stretch around it, from where nothing before can take part.
    std::size_t begin = at;
    while (begin > said &&
           nfc.hasBoundaryBefore(icu_code_point(code_point_at(text, begin).value)) == 0) {
      begin = code_point_before(text, begin);
    }
    std::size_t code_points = 0;
    const std::size_t end = stretch_end(text, begin, &code_points);
    std::string normal;
    for (const char32_t one : composed(text.substr(begin, end - begin), code_points)) {
      append_utf8(normal, one);
      before = one;
    }
    rewriter.say(begin, text.substr(said, begin - said));
    rewriter.say(end, normal);
    at = said = end;
  }
  rewriter.say(text.size(), text.substr(said));
  return rewriter.take();
}

Rewritten rewrite(std::string_view text, Replacement replacement, const Target& target) {
  Rewriter rewriter(text);
  char32_t before = 0;
  while (!rewriter.is_done()) {
    std::size_t code_points = 0;
    const std::size_t end = stretch_end(text, rewriter.at(), &code_points);
    const char32_t after = end < text.size() ? code_point_at(text, end).value : 0;
    const std::u32string stretch =
        composed(text.substr(rewriter.at(), end - rewriter.at()), code_points);
    std::string said;
    for (std::size_t at = 0; at < stretch.size(); ++at) {
      const Neighbours beside{before, at + 1 < stretch.size() ? stretch[at + 1] : after};
      if (auto other = substitute(stretch[at], replacement, target, beside, kSubstitutionDepth)) {
        said += *other;
      } else {
        append_utf8(said, stretch[at]);
      }
      before = stretch[at];
    }
    rewriter.say(end, said);
  }
  return rewriter.take();
}

Rewritten without_invisible(std::string_view text) {
  // Joiners, direction marks and variation selectors stay: other scripts and emoji need them.
  const auto shows_nothing = [](char32_t code_point) {
    return code_point == 0xad || code_point == 0x200b || code_point == 0x2060 ||
           code_point == 0xfeff;
  };
  Rewriter rewriter(text);
  while (!rewriter.is_done()) {
    const CodePoint next = code_point_at(text, rewriter.at());
    const std::size_t end = rewriter.at() + next.octets;
    rewriter.say(end, shows_nothing(next.value) ? std::string_view{}
                                                : text.substr(rewriter.at(), next.octets));
  }
  return rewriter.take();
}

}  // namespace stentor::encoding
