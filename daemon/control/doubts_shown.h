// The reply to `carrier doubts`: messages that may have been sent, for whoever resolves them.
//
// Errors   None.
// Threads  Pure functions.
// Spec     docs/protocol.md, "carrier" and "resolve"
#pragma once

#include <string>
#include <string_view>

#include "daemon/delivery/doubt_report.h"

namespace stentor::daemon {

[[nodiscard]] std::string doubts_shown(std::string_view carrier, const DoubtReport& report);

}  // namespace stentor::daemon
