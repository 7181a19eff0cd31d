// Reads [callbacks], and `callback` of a [[client]].
//
// Errors   Into the section's Mistakes; the answer is complete only when none were found.
// Threads  One thread: it reads files.
// Spec     docs/configuration.md
#pragma once

#include <optional>

#include "daemon/config/callback_config.h"
#include "daemon/config/carrier_config.h"
#include "daemon/config/section.h"

namespace stentor::daemon::config_file {

void read_callbacks(Section& section, CallbacksConfig& into);

[[nodiscard]] CallbackConfig read_callback(Section& section, const SecretSources& secrets);

}  // namespace stentor::daemon::config_file
