// Reads [opt_out].
//
// Errors   Into the section's Mistakes; the answer is complete only when none were found.
// Threads  One thread.
// Spec     docs/configuration.md
#pragma once

#include <span>
#include <string>

#include "daemon/config/opt_out_config.h"
#include "daemon/config/section.h"

namespace stentor::daemon::config_file {

void read_opt_out(Section& section, std::span<const std::string> clients, OptOutConfig& into);

}  // namespace stentor::daemon::config_file
