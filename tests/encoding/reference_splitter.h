// The rules of segmentation once more, as plainly as they can be said: the whole text into
// clusters, a cluster longer than a part into code points, and the fewest parts by trying every
// cut. Slow, and only for tests.
//
// Threads  Each caller its own.
#pragma once

#include <unicode/brkiter.h>
#include <unicode/unistr.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "encoding/utf8.h"

namespace stentor::encoding {

/// Where the text may be cut: octets and units of each piece.
struct Piece {
  std::size_t octets = 0;
  std::size_t units = 0;
};

using UnitsOf = std::function<std::size_t(char32_t)>;

inline std::vector<Piece> pieces_of(const std::string& text, const UnitsOf& units_of,
                                    std::size_t capacity) {
  UErrorCode status = U_ZERO_ERROR;
  static const std::unique_ptr<icu::BreakIterator> iterator(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  const icu::UnicodeString utf16 = icu::UnicodeString::fromUTF8(text);
  iterator->setText(utf16);

  std::vector<Piece> pieces;
  std::size_t at = 0;
  std::int32_t unit = 0;
  for (auto next = iterator->next(); next != icu::BreakIterator::DONE; next = iterator->next()) {
    std::vector<Piece> code_points;
    Piece whole;
    while (unit < next) {
      const CodePoint one = code_point_at(text, at);
      code_points.push_back({one.octets, units_of(one.value)});
      whole.octets += one.octets;
      whole.units += code_points.back().units;
      unit += one.value > 0xffff ? 2 : 1;
      at += one.octets;
    }
    if (whole.units > capacity) {
      pieces.insert(pieces.end(), code_points.begin(), code_points.end());
    } else {
      pieces.push_back(whole);
    }
  }
  return pieces;
}

/// The fewest parts that hold all pieces in their order.
inline std::size_t fewest_parts(const std::vector<Piece>& pieces, std::size_t capacity) {
  std::vector<std::size_t> fewest(pieces.size() + 1, SIZE_MAX);
  fewest[0] = 0;
  for (std::size_t from = 0; from < pieces.size(); ++from) {
    std::size_t units = 0;
    for (std::size_t to = from; to < pieces.size(); ++to) {
      units += pieces[to].units;
      if (units > capacity) break;
      fewest[to + 1] = std::min(fewest[to + 1], fewest[from] + 1);
    }
  }
  return fewest[pieces.size()];
}

}  // namespace stentor::encoding
