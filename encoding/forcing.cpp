#include "encoding/forcing.h"

#include <array>
#include <span>
#include <string>
#include <vector>

#include "encoding/grapheme.h"
#include "encoding/gsm_alphabet.h"
#include "encoding/octet_alphabets.h"
#include "encoding/text_survey.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

// The tables that, by themselves or with a locking shift, carry a cluster whole.
struct ClusterTables {
  std::array<std::uint16_t, kGsmTables> singles_beside{};  // by locking shift: the single shifts
};

ClusterTables tables_of(std::string_view cluster) noexcept {
  ClusterTables tables;
  tables.singles_beside.fill((1u << kGsmTables) - 1);
  for (std::size_t at = 0; at < cluster.size();) {
    const CodePoint next = code_point_at(cluster, at);
    const TablesWith with = tables_with(next.value);
    for (std::size_t locking = 0; locking < kGsmTables; ++locking) {
      if ((with.locking >> locking & 1u) == 0) tables.singles_beside[locking] &= with.single;
    }
    at += next.octets;
  }
  return tables;
}

bool carries(const ClusterTables& tables, Shifts shifts) noexcept {
  const std::uint16_t singles = tables.singles_beside[static_cast<std::size_t>(shifts.locking)];
  return (singles >> static_cast<unsigned>(shifts.single) & 1u) != 0;
}

// The pair of allowed tables for which the fewest clusters must go.
Shifts best_shifts(std::span<const ClusterTables> clusters, NationalLanguages allowed) noexcept {
  std::array<std::array<std::size_t, kGsmTables>, kGsmTables> carried{};
  for (const ClusterTables& tables : clusters) {
    for (std::size_t locking = 0; locking < kGsmTables; ++locking) {
      for (std::size_t single = 0; single < kGsmTables; ++single) {
        carried[locking][single] += tables.singles_beside[locking] >> single & 1u;
      }
    }
  }
  Shifts best;
  std::size_t most = carried[0][0];
  const auto is_allowed = [&](std::size_t table) {
    return table == 0 || allowed.allows(static_cast<NationalLanguage>(table));
  };
  for (std::size_t locking = 0; locking < kGsmTables; ++locking) {
    for (std::size_t single = 0; single < kGsmTables; ++single) {
      if (!is_allowed(locking) || !is_allowed(single) || carried[locking][single] <= most) continue;
      most = carried[locking][single];
      best = {static_cast<NationalLanguage>(locking), static_cast<NationalLanguage>(single)};
    }
  }
  return best;
}

std::vector<Cluster> clusters_of(std::string_view text) {
  std::vector<Cluster> clusters;
  for (std::size_t at = 0; at < text.size(); at = clusters.back().end) {
    clusters.push_back(cluster_at(text, at, at));
  }
  return clusters;
}

bool all_of(std::string_view cluster, bool (*has)(char32_t)) noexcept {
  for (std::size_t at = 0; at < cluster.size();) {
    const CodePoint next = code_point_at(cluster, at);
    if (!has(next.value)) return false;
    at += next.octets;
  }
  return true;
}

struct Kept {
  std::string text;
  std::uint32_t gone = 0;
};

template <class Carried>
Kept keep(std::string_view text, std::span<const Cluster> clusters, Carried carried) {
  Kept kept;
  for (std::size_t at = 0; at < clusters.size(); ++at) {
    const auto cluster = text.substr(clusters[at].begin, clusters[at].end - clusters[at].begin);
    if (carried(at, cluster)) {
      kept.text += cluster;
    } else {
      ++kept.gone;
    }
  }
  return kept;
}

Kept keep_carried(std::string_view text, Alphabet alphabet, NationalLanguages allowed) {
  const std::vector<Cluster> clusters = clusters_of(text);
  switch (alphabet) {
    case Alphabet::gsm7:
    case Alphabet::gsm7_packed: break;
    case Alphabet::latin1:
      return keep(text, clusters, [](auto, auto cluster) { return all_of(cluster, is_latin1); });
    case Alphabet::ascii:
      return keep(text, clusters, [](auto, auto cluster) { return all_of(cluster, is_ascii); });
    case Alphabet::ucs2: return {std::string(text), 0};
  }
  if (allowed.is_empty()) {
    return keep(text, clusters, [](auto, auto cluster) {
      return all_of(cluster, [](char32_t one) { return default_code_of(one).exists(); });
    });
  }
  std::vector<ClusterTables> tables;
  tables.reserve(clusters.size());
  for (const Cluster& one : clusters) {
    tables.push_back(tables_of(text.substr(one.begin, one.end - one.begin)));
  }
  const Shifts shifts = best_shifts(tables, allowed);
  return keep(text, clusters, [&](std::size_t at, auto) { return carries(tables[at], shifts); });
}

}  // namespace

result<Unforced> without_forcing(std::string_view text, const PlanOptions& options) {
  if (const auto surveyed = survey(text); !surveyed) return std::unexpected(surveyed.error());
  const Alphabet first = options.alphabets.empty() ? Alphabet::gsm7 : options.alphabets.front();
  PlanOptions narrowed = options;
  narrowed.alphabets = std::span(&first, 1);
  narrowed.strict = true;
  narrowed.replacement = Replacement::none;

  const Kept kept = keep_carried(text, first, options.national);
  if (kept.text.empty()) return Unforced{kept.gone, 0};
  const auto planned = plan(kept.text, narrowed);
  if (!planned) return std::unexpected(planned.error());
  return Unforced{kept.gone, planned->segments};
}

}  // namespace stentor::encoding
