// Reads `outbind` of a [[carrier]]: where its SMSC connects to us, and who that must be.
//
// Errors   Into the section's Mistakes.
// Threads  One thread.
// Spec     docs/configuration.md, "Outbind"; SMPP 3.4 section 4.1.7
#pragma once

#include "daemon/config/carrier_config.h"
#include "daemon/config/section.h"

namespace stentor::daemon::config_file {

/// Of a carrier whose hosts, binds and TLS have been read.
void read_outbind(Section& section, const SecretSources& secrets, CarrierConfig& carrier);

}  // namespace stentor::daemon::config_file
