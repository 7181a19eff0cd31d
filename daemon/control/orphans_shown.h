// The reply to `carrier orphans`: receipts that match nothing, and what would make them match.
//
// Errors   None. What a carrier said is escaped.
// Threads  Pure functions.
// Spec     docs/protocol.md, "carrier"
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/tracking/orphan_report.h"
#include "daemon/tracking/tracker.h"

namespace stentor::daemon {

/// `rematched`: what trying them again has come to, where that was asked for.
[[nodiscard]] std::string orphans_shown(std::string_view carrier, const OrphanReport& report,
                                        std::optional<Rematched> rematched = std::nullopt);

}  // namespace stentor::daemon
