#include "daemon/campaigns/campaign_pacing.h"

#include <algorithm>

namespace stentor::daemon {
namespace {

// Two rounds of a tenth of a second: one may come late.
constexpr double kKeptSeconds = 0.2;

}  // namespace

void CampaignPacing::set_rate(queue::Flow flow, std::uint32_t rate) {
  if (rate == 0) {
    paces_.erase(flow);
    return;
  }
  paces_[flow].rate = rate;
}

std::vector<FlowShare> CampaignPacing::deal(std::span<const FlowShare> found, TimePoint now) {
  std::vector<FlowShare> sorted(found.begin(), found.end());
  std::ranges::sort(sorted, [](const FlowShare& a, const FlowShare& b) {
    return a.flow != b.flow ? a.flow < b.flow : a.carrier < b.carrier;
  });
  std::vector<FlowShare> dealt;
  for (auto begin = sorted.begin(); begin != sorted.end();) {
    const auto end = std::find_if(begin, sorted.end(),
                                  [&](const FlowShare& each) { return each.flow != begin->flow; });
    if (const auto pace = paces_.find(begin->flow); pace != paces_.end()) {
      Pace& of = pace->second;
      const double kept_max = std::max(1.0, of.rate * kKeptSeconds);
      const double seconds = of.earned_at == TimePoint{}
                                 ? 0.0
                                 : std::chrono::duration<double>(now - of.earned_at).count();
      of.earned_at = now;
      for (auto each = begin; each != end; ++each) of.earned += static_cast<double>(each->messages);
      of.earned = std::min(kept_max, of.earned + seconds * of.rate);
      deal_one(of, {begin, end}, dealt);
    }
    begin = end;
  }
  return dealt;
}

// By backlog, in whole messages; the odd ones go round.
void CampaignPacing::deal_one(Pace& pace, std::span<const FlowShare> found,
                              std::vector<FlowShare>& dealt) {
  std::uint64_t waiting = 0;
  for (const FlowShare& each : found) waiting += each.waiting;
  const std::uint64_t all = std::min(static_cast<std::uint64_t>(pace.earned), waiting);
  if (all == 0) return;
  const std::size_t first = dealt.size();
  std::uint64_t given = 0;
  for (const FlowShare& each : found) {
    const auto share =
        static_cast<std::uint64_t>(static_cast<double>(all) * static_cast<double>(each.waiting) /
                                   static_cast<double>(waiting));
    dealt.push_back({.flow = each.flow,
                     .carrier = each.carrier,
                     .messages = std::min({share, each.waiting, all - given}),
                     .waiting = each.waiting});
    given += dealt.back().messages;
  }
  for (std::size_t i = 0; given < all; ++i) {
    FlowShare& each = dealt[first + (pace.turn + i) % found.size()];
    if (each.messages == each.waiting) continue;
    ++each.messages;
    ++given;
  }
  ++pace.turn;
  pace.earned -= static_cast<double>(all);
}

void CampaignPacing::keep(const std::function<bool(queue::Flow)>& is_known) {
  boost::unordered::erase_if(paces_, [&](const auto& pace) { return !is_known(pace.first); });
}

}  // namespace stentor::daemon
