#include "daemon/history/campaign_pauses.h"

#include <optional>

namespace stentor::daemon {

std::vector<Stretch> pauses_of(const std::vector<CampaignOrderGiven>& orders) {
  std::vector<Stretch> pauses;
  std::optional<std::uint64_t> since;
  for (const CampaignOrderGiven& order : orders) {
    if (order.is_paused && !since) since = order.time_ms;
    if (order.is_paused || !since) continue;
    pauses.push_back({*since, order.time_ms, "pause"});
    since.reset();
  }
  if (since) pauses.push_back({*since, kPauseGoesOn, "pause"});
  return pauses;
}

}  // namespace stentor::daemon
