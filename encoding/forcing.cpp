#include "encoding/forcing.h"

#include <array>
#include <string>

#include "encoding/grapheme.h"
#include "encoding/gsm_alphabet.h"
#include "encoding/octet_alphabets.h"
#include "encoding/text_survey.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

bool carries(Alphabet alphabet, Shifts shifts, std::string_view cluster) noexcept {
  for (std::size_t at = 0; at < cluster.size();) {
    const CodePoint next = code_point_at(cluster, at);
    at += next.octets;
    switch (alphabet) {
      case Alphabet::gsm7:
      case Alphabet::gsm7_packed:
        if (!code_of(next.value, shifts).exists()) return false;
        break;
      case Alphabet::latin1:
        if (!is_latin1(next.value)) return false;
        break;
      case Alphabet::ascii:
        if (!is_ascii(next.value)) return false;
        break;
      case Alphabet::ucs2: break;
    }
  }
  return true;
}

constexpr std::size_t kTables = kNationalLanguages + 1;
constexpr std::size_t kTablePairs = kTables * kTables;

bool is_allowed(NationalLanguages allowed, NationalLanguage language) noexcept {
  return language == NationalLanguage::none || allowed.allows(language);
}

struct Kept {
  std::string text;
  std::uint32_t gone = 0;
};

Kept keep_carried(std::string_view text, Alphabet alphabet, Shifts shifts) {
  Kept kept;
  for (std::size_t at = 0; at < text.size();) {
    const Cluster cluster = cluster_at(text, at, at);
    const std::string_view octets = text.substr(cluster.begin, cluster.end - cluster.begin);
    if (carries(alphabet, shifts, octets)) {
      kept.text += octets;
    } else {
      ++kept.gone;
    }
    at = cluster.end;
  }
  return kept;
}

}  // namespace

result<Unforced> without_forcing(std::string_view text, const PlanOptions& options) {
  if (const auto surveyed = survey(text); !surveyed) return std::unexpected(surveyed.error());
  const Alphabet first = options.alphabets.empty() ? Alphabet::gsm7 : options.alphabets.front();
  PlanOptions narrowed = options;
  narrowed.alphabets = std::span(&first, 1);
  narrowed.strict = true;
  narrowed.replacement = Replacement::none;

  Kept kept = keep_carried(text, first, {});
  const bool gsm = first == Alphabet::gsm7 || first == Alphabet::gsm7_packed;
  for (std::size_t pair = 1; gsm && pair < kTablePairs; ++pair) {
    const auto locking = static_cast<NationalLanguage>(pair / kTables);
    const auto single = static_cast<NationalLanguage>(pair % kTables);
    if (!is_allowed(options.national, locking) || !is_allowed(options.national, single)) continue;
    Kept other = keep_carried(text, first, {locking, single});
    if (other.gone < kept.gone) kept = std::move(other);
  }
  if (kept.text.empty()) return Unforced{kept.gone, 0};
  const auto planned = plan(kept.text, narrowed);
  if (!planned) return std::unexpected(planned.error());
  return Unforced{kept.gone, planned->segments};
}

}  // namespace stentor::encoding
