// Receipts of one carrier that match no segment, and which rule of ids would make them match.
//
// Units    Receipts; `came_ms` is Unix time.
// Owns     Its texts.
// Threads  A plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/tracking/early_receipts.h"
#include "protocol/message_id.h"

namespace stentor::daemon {

struct OrphanReport {
  protocol::MessageIdRule rule = protocol::MessageIdRule::automatic;  ///< as configured
  std::optional<protocol::MessageIdRule> learnt;                      ///< what its matches show
  std::size_t kept = 0;                                               ///< in all
  std::uint64_t unmatched = 0;  ///< that matched nothing when they came, since the start
  std::size_t unread = 0;       ///< of those kept: their message's record cannot be read now
  std::vector<KeptReceipt> newest;
  std::size_t examined = 0;  ///< of the newest, for the evidence
  std::optional<protocol::MessageIdRule> suggested;
  std::size_t evidence = 0;  ///< how many of the examined match an outstanding segment by it
};

/// "all 500 orphans match as decimal of submit ids", or what else the evidence says.
[[nodiscard]] std::string evidence_of(const OrphanReport& report);

}  // namespace stentor::daemon
