// Reads the keys of a carrier that say how its messages are delivered: status, retry, limits, …
//
// Errors   Into the section's mistakes; what is wrong stays at its default.
// Threads  One thread.
// Spec     docs/configuration.md, "Delivery"
#pragma once

#include "daemon/config/config.h"
#include "daemon/config/section.h"

namespace stentor::daemon::config_file {

void read_delivery_keys(Section& section, CarrierConfig& carrier);

}  // namespace stentor::daemon::config_file
