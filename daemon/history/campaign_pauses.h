// When a campaign was paused, out of the orders that were given about it.
//
// Units    Milliseconds of Unix time.
// Owns     Nothing; causes are literals.
// Threads  Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "daemon/history/waits.h"
#include "daemon/records/campaign_records.h"

namespace stentor::daemon {

struct CampaignOrderGiven {
  std::uint64_t time_ms = 0;
  bool is_paused = false;  ///< from then on
};

/// Of a pause that goes on.
inline constexpr std::uint64_t kPauseGoesOn = std::numeric_limits<std::uint64_t>::max();

/// `orders` in order of time.
[[nodiscard]] std::vector<Stretch> pauses_of(const std::vector<CampaignOrderGiven>& orders);

}  // namespace stentor::daemon
