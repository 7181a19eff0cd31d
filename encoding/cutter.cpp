#include "encoding/cutter.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "encoding/grapheme.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

constexpr std::size_t kPartsMax = 255;  // TS 23.040 section 9.2.3.24.1: the count is one octet

std::size_t units_of(char32_t code_point, const Carriage& carriage) noexcept {
  switch (carriage.alphabet) {
    case Alphabet::gsm7:
    case Alphabet::gsm7_packed: return code_of(code_point, carriage.shifts).septets();
    case Alphabet::latin1:
    case Alphabet::ascii: return 1;
    case Alphabet::ucs2: return code_point > 0xffff ? 2 : 1;
  }
  return 1;
}

// How far a part reaches when only capacity bounds it.
struct Reach {
  std::size_t end = 0;
  std::size_t units = 0;
};

// One unit for each code point, or two for each of four octets (`pairs`): eight octets at a time.
Reach reach_by_words(std::string_view text, Reach from, std::size_t capacity, bool pairs) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  while (text.size() - from.end >= 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + from.end, sizeof word);
    const std::uint64_t continuations = word >> 7 & ~(word >> 6) & kOnes;
    std::uint64_t units = 8 - (continuations * kOnes >> 56);
    if (pairs) units += (word >> 7 & word >> 6 & word >> 5 & word >> 4 & kOnes) * kOnes >> 56;
    if (from.units + units > capacity) break;
    from.units += units;
    from.end += 8;
  }
  while (from.end < text.size() && is_continuation(text[from.end])) ++from.end;
  return from;
}

Reach reach(std::string_view text, std::size_t begin, const Carriage& carriage,
            std::size_t capacity) noexcept {
  Reach so_far{begin, 0};
  if (carriage.unit_per_octet) {
    so_far.units = std::min(capacity, text.size() - begin);
    so_far.end += so_far.units;
  } else if (carriage.alphabet != Alphabet::gsm7 && carriage.alphabet != Alphabet::gsm7_packed) {
    so_far = reach_by_words(text, so_far, capacity, carriage.alphabet == Alphabet::ucs2);
  }
  while (so_far.end < text.size()) {
    const CodePoint next = code_point_at(text, so_far.end);
    const std::size_t units = units_of(next.value, carriage);
    if (so_far.units + units > capacity) break;
    so_far.units += units;
    so_far.end += next.octets;
  }
  return so_far;
}

std::size_t units_between(std::string_view text, std::size_t begin, std::size_t end,
                          const Carriage& carriage) noexcept {
  std::size_t units = 0;
  while (begin < end) {
    const CodePoint next = code_point_at(text, begin);
    units += units_of(next.value, carriage);
    begin += next.octets;
  }
  return units;
}

// A packed part that fills its last octet and ends with a carriage return loses it: the receiver
// takes it for padding (TS 23.038 section 6.1.2.3.1), and no room is left to send it twice.
bool is_taken_for_padding(std::string_view text, Reach part, std::size_t capacity,
                          const Carriage& carriage) noexcept {
  return carriage.alphabet == Alphabet::gsm7_packed && part.units == capacity &&
         text[part.end - 1] == '\r';
}

}  // namespace

Cuts cut(std::string_view text, const Carriage& carriage, Capacity capacity, PartList* parts) {
  Cuts cuts{.segments = 0};
  const auto take = [&](std::size_t begin, const Reach& part) {
    ++cuts.segments;
    if (parts == nullptr || cuts.segments > kPartsMax) return;
    parts->push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(part.end),
                      static_cast<std::uint16_t>(part.units)});
  };

  const Reach all{text.size(), carriage.units};
  if (all.units <= capacity.alone && !is_taken_for_padding(text, all, capacity.alone, carriage)) {
    take(0, all);
    return cuts;
  }

  // A cluster longer than a part is dissolved: up to here, any code point may be cut from the next.
  std::size_t dissolved = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    Reach part = reach(text, begin, carriage, capacity.part);
    if (is_taken_for_padding(text, part, capacity.part, carriage)) {
      --part.end;
      --part.units;
    }
    const std::size_t boundary = std::max(begin, dissolved);
    if (part.end < text.size() && part.end > boundary &&
        !certainly_parted(code_point_at(text, code_point_before(text, part.end)).value,
                          code_point_at(text, part.end).value)) {
      const Cluster straddling = cluster_at(text, boundary, part.end);
      if (straddling.begin < part.end) {
        if (units_between(text, straddling.begin, straddling.end, carriage) > capacity.part) {
          dissolved = straddling.end;
          cuts.inside_cluster = true;
        } else {
          part.units -= units_between(text, straddling.begin, part.end, carriage);
          part.end = straddling.begin;
        }
      }
    }
    assert(part.end > begin && "a part takes at least one code point");
    take(begin, part);
    begin = part.end;
  }
  return cuts;
}

}  // namespace stentor::encoding
