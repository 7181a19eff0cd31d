// Carriers of one configuration that bind with the same account.
//
// Owns     Nothing.
// Errors   None: it may be what somebody wants, where the SMSC tells them apart by something else.
// Threads  Pure function.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace stentor::daemon {

/// A sentence for each pair that has a host and the system_id in common: an SMSC gives receipts and
/// replies to any bind of the account, so that those of one carrier may come to the other, where
/// they match nothing. Ten at most, and how many more there are; each is named with the first that
/// has it.
[[nodiscard]] std::vector<std::string> shared_accounts(const std::vector<CarrierConfig>& carriers);

}  // namespace stentor::daemon
