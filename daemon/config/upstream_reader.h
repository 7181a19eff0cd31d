// Reads [[inbound]].
//
// Errors   Into the section's Mistakes; the answer is complete only when none were found.
// Threads  One thread.
// Spec     docs/configuration.md
#pragma once

#include <span>
#include <string>
#include <vector>

#include "daemon/config/section.h"
#include "daemon/config/upstream_config.h"

namespace stentor::daemon::config_file {

/// `clients` are the names that rules may give messages to.
[[nodiscard]] std::vector<InboundRule> read_inbound(std::vector<Section> sections,
                                                    std::span<const std::string> clients);

}  // namespace stentor::daemon::config_file
