// The reply to `carrier orphans`: receipts that match nothing, and what would make them match.
//
// Errors   None. What a carrier said is escaped.
// Threads  Pure functions.
// Spec     docs/protocol.md, "carrier"
#pragma once

#include <string>
#include <string_view>

#include "daemon/tracking/orphan_report.h"

namespace stentor::daemon {

[[nodiscard]] std::string orphans_shown(std::string_view carrier, const OrphanReport& report);

}  // namespace stentor::daemon
