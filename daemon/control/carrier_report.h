// A carrier as `status`, `carrier list` and `carrier show` tell of it.
//
// Units    As CarrierSnapshot has them; times are RFC 3339.
// Errors   None. What a carrier said is escaped.
// Threads  Pure functions.
// Spec     docs/protocol.md, "carrier"
#pragma once

#include <string>

#include "daemon/delivery/carrier_stats.h"

namespace stentor::daemon {

/// One object: the carrier's figures over all its binds.
void append_carrier_line(const CarrierSnapshot& carrier, std::string& out);
/// The reply to `carrier show`: the same figures, each bind, and what went wrong lately.
[[nodiscard]] std::string carrier_shown(const CarrierSnapshot& carrier);

}  // namespace stentor::daemon
