// Reads the [[route]] and [[client]] tables and checks them against the carriers.
//
// Errors   Into the section's Mistakes.
// Threads  One thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "daemon/config/carrier_config.h"
#include "daemon/config/config.h"
#include "daemon/config/section.h"

namespace stentor::daemon::config_file {

/// `carriers` are the names that may be referred to.
[[nodiscard]] std::vector<RouteConfig> read_routes(std::vector<Section> sections,
                                                   std::span<const std::string> carriers);

[[nodiscard]] std::vector<ClientConfig> read_clients(std::vector<Section> sections,
                                                     std::span<const std::string> carriers,
                                                     const SecretSources& secrets);

}  // namespace stentor::daemon::config_file
