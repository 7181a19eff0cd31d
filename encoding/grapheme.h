// Where one character as people perceive it ends and the next begins: grapheme clusters.
//
// ICU decides; most texts never ask it, because between the plain letters of most scripts there
// is always a boundary.
//
// Units    Octets of valid UTF-8.
// Errors   None: a text of any octets that is valid UTF-8 has boundaries. Stops the process when
//          ICU's own data is missing.
// Threads  Any; each thread keeps one ICU iterator, opened at its first text that needs one.
// Spec     Unicode Standard Annex #29 section 3, as ICU tailors it (Indic conjuncts hold together).
#pragma once

#include <cstddef>
#include <string_view>

namespace stentor::encoding {

/// True when there is a boundary between the two, whatever stands around them. False says nothing.
[[nodiscard]] bool certainly_parted(char32_t before, char32_t after) noexcept;

struct Cluster {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The cluster that octet `at` is in, `at` being the first octet of a code point.
/// `boundary` is a known cluster boundary at or before `at`: what stands before it has no say.
[[nodiscard]] Cluster cluster_at(std::string_view text, std::size_t boundary, std::size_t at);

/// User-perceived characters (grapheme clusters) of valid UTF-8.
[[nodiscard]] std::size_t count_characters(std::string_view text);

}  // namespace stentor::encoding
