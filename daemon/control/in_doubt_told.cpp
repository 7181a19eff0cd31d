#include "daemon/control/in_doubt_told.h"

#include <fmt/format.h>

#include <algorithm>

namespace stentor::daemon {
namespace {

// A line of the log, not a list.
constexpr std::size_t kCarriersNamed = 8;

}  // namespace

std::string in_doubt_told(const Config& config, const Replay::Report& report,
                          std::uint64_t now_ms) {
  std::uint64_t all = 0;
  std::uint64_t since_ms = now_ms;
  std::string named;
  std::size_t carriers = 0;
  for (const auto& [carrier, doubts] : report.doubts) {
    std::string counts;
    for (std::size_t policy = 0; policy < doubts.by_policy.size(); ++policy) {
      if (doubts.by_policy[policy] == 0) continue;
      all += doubts.by_policy[policy];
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", doubts.by_policy[policy],
                            word_of(static_cast<UncertainPolicy>(policy)));
    }
    since_ms = std::min(since_ms, doubts.since_ms);
    if (++carriers > kCarriersNamed) continue;
    named +=
        fmt::format("{}{}: {}", named.empty() ? "" : "; ", config.carriers[carrier].name, counts);
  }
  if (all == 0) return "none in doubt";
  if (carriers > kCarriersNamed) {
    named += fmt::format("; and {} more carriers", carriers - kCarriersNamed);
  }
  return fmt::format("{} in doubt ({}), the oldest for {} s", all, named,
                     (now_ms - since_ms) / 1000);
}

}  // namespace stentor::daemon
