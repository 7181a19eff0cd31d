#include "encoding/grapheme.h"

#include <unicode/ubrk.h>

#include <boost/container/small_vector.hpp>
#include <cassert>
#include <cstdint>
#include <memory>

#include "encoding/octet_block.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

// Code units of text that are shown to ICU at first; a cluster that goes on gets twice as many.
constexpr std::size_t kWindowUnits = 96;

using Window = boost::container::small_vector<char16_t, 2 * kWindowUnits>;

// Letters, digits and signs that form a cluster each, next to one another. Checked against ICU's
// properties in the tests: Grapheme_Cluster_Break is Other (or the control is a line end),
// Extended_Pictographic is No, and no Indic conjunct begins or ends here.
bool is_plain(char32_t code_point) noexcept {
  const auto within = [&](char32_t first, char32_t last) {
    return code_point >= first && code_point <= last;
  };
  if (code_point < 0x300) return code_point != 0xa9 && code_point != 0xae;
  if (code_point < 0x530) return code_point >= 0x370 && !within(0x483, 0x489);
  if (code_point < 0x2000) {
    return within(0x5d0, 0x5ea) || within(0x620, 0x64a) || within(0x1e00, 0x1fff);
  }
  if (code_point < 0x2100) {
    return within(0x2010, 0x2027) || within(0x2030, 0x203b) || within(0x20a0, 0x20bf);
  }
  return within(0x3001, 0x3029) || within(0x3041, 0x3096) || within(0x30a1, 0x30fa) ||
         within(0x4e00, 0x9fff);
}

UBreakIterator* character_iterator() {
  struct Closer {
    void operator()(UBreakIterator* iterator) const noexcept { ubrk_close(iterator); }
  };
  thread_local const std::unique_ptr<UBreakIterator, Closer> iterator = [] {
    UErrorCode status = U_ZERO_ERROR;
    UBreakIterator* opened = ubrk_open(UBRK_CHARACTER, "", nullptr, 0, &status);
    assert(U_SUCCESS(status) && "ICU has its character break rules");
    return std::unique_ptr<UBreakIterator, Closer>(opened);
  }();
  return iterator.get();
}

void show(UBreakIterator* iterator, const Window& units) {
  UErrorCode status = U_ZERO_ERROR;
  ubrk_setText(iterator, units.data(), static_cast<std::int32_t>(units.size()), &status);
  assert(U_SUCCESS(status) && "ICU takes any text of code units");
}

void append_utf16(Window& units, char32_t code_point) {
  if (code_point > 0xffff) {
    units.push_back(static_cast<char16_t>(0xd7c0 + (code_point >> 10)));
    units.push_back(static_cast<char16_t>(0xdc00 + (code_point & 0x3ff)));
  } else {
    units.push_back(static_cast<char16_t>(code_point));
  }
}

// Puts text into `units` from `from` until there are `until`, and returns where it stopped.
std::size_t fill_to(Window& units, std::string_view text, std::size_t from, std::size_t until) {
  while (from < text.size() && units.size() < until) {
    const CodePoint next = code_point_at(text, from);
    append_utf16(units, next.value);
    from += next.octets;
  }
  return from;
}

// The octet `units` code units after `from`.
std::size_t forward(std::string_view text, std::size_t from, std::size_t units) {
  while (units > 0) {
    const CodePoint next = code_point_at(text, from);
    units -= next.value > 0xffff ? 2u : 1u;
    from += next.octets;
  }
  return from;
}

std::size_t count_with_icu(std::string_view text) {
  // Texts are bounded by their lines on the socket (64 KiB), so they are shown whole.
  Window units;
  (void)fill_to(units, text, 0, SIZE_MAX);
  UBreakIterator* iterator = character_iterator();
  show(iterator, units);
  std::size_t characters = 0;
  while (ubrk_next(iterator) != UBRK_DONE) ++characters;
  return characters;
}

}  // namespace

bool certainly_parted(char32_t before, char32_t after) noexcept {
  if (after == '\n') return before != '\r' && is_plain(before);
  return is_plain(before) && is_plain(after);
}

Cluster cluster_at(std::string_view text, std::size_t boundary, std::size_t at) {
  if (boundary == at) {
    const CodePoint here = code_point_at(text, at);
    const std::size_t end = at + here.octets;
    if (end == text.size() || certainly_parted(here.value, code_point_at(text, end).value)) {
      return {at, end};
    }
  }
  // Back to where a boundary is certain.
  std::size_t from = at;
  for (char32_t after = code_point_at(text, at).value; from > boundary;) {
    const std::size_t before = code_point_before(text, from);
    const char32_t value = code_point_at(text, before).value;
    if (certainly_parted(value, after)) break;
    after = value;
    from = before;
  }

  Window units;
  const std::size_t reached = fill_to(units, text.substr(0, at), from, SIZE_MAX);
  assert(reached == at);
  const auto wanted = static_cast<std::int32_t>(units.size());
  std::size_t shown = fill_to(units, text, reached, units.size() + kWindowUnits);
  UBreakIterator* iterator = character_iterator();
  show(iterator, units);
  std::int32_t begin = 0;
  std::int32_t end = ubrk_next(iterator);
  while (end <= wanted) {
    begin = end;
    end = ubrk_next(iterator);
  }
  // A cluster that fills the window may go on after it.
  while (end == static_cast<std::int32_t>(units.size()) && shown < text.size()) {
    shown = fill_to(units, text, shown, 2 * units.size());
    show(iterator, units);
    end = ubrk_following(iterator, begin);
  }
  const std::size_t first = forward(text, from, static_cast<std::size_t>(begin));
  return {first, forward(text, first, static_cast<std::size_t>(end - begin))};
}

std::size_t count_characters(std::string_view text) {
  std::size_t characters = 0;
  std::size_t at = 0;
  char32_t before = 0;  // parted from anything
  while (at < text.size()) {
    // A block of ASCII without carriage returns: as many characters as octets.
    if (text.size() - at >= kBlockOctets && before < 0x80 && before != '\r') {
      const OctetBlock block = load_block(text.data() + at);
      if (!any((block >= 0x80) | (block == '\r'))) {
        characters += kBlockOctets;
        at += kBlockOctets;
        before = static_cast<std::uint8_t>(text[at - 1]);
        continue;
      }
    }
    const CodePoint next = code_point_at(text, at);
    if (certainly_parted(before, next.value)) {
      ++characters;
      before = next.value;
      at += next.octets;
      continue;
    }
    // From the character before, which this one may belong to, to the next certain boundary.
    const std::size_t from = at == 0 ? 0 : code_point_before(text, at);
    if (at != 0) --characters;
    char32_t last = next.value;
    at += next.octets;
    while (at < text.size()) {
      const CodePoint after = code_point_at(text, at);
      if (certainly_parted(last, after.value)) break;
      last = after.value;
      at += after.octets;
    }
    characters += count_with_icu(text.substr(from, at - from));
    before = last;
  }
  return characters;
}

}  // namespace stentor::encoding
