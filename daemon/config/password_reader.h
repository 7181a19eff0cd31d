// Reads a password from one of three places: the configuration, a file of its own, or a systemd
// credential.
//
// Errors   Into the section's Mistakes. A password never enters one.
// Threads  One thread.
// Spec     docs/configuration.md, "Passwords"; SMPP 3.4 section 5.2.2
#pragma once

#include <cstdint>
#include <string>

#include "daemon/config/carrier_config.h"
#include "daemon/config/section.h"

namespace stentor::daemon::config_file {

enum class PasswordFound : std::uint8_t {
  none,     ///< in none of the three
  taken,    ///< it may be empty
  refused,  ///< a mistake was said
};

/// `password`, `password_file`, or the credential of that name; no credential is looked for under
/// an empty one.
[[nodiscard]] PasswordFound read_password(Section& section, const SecretSources& secrets,
                                          const std::string& credential, std::string& password);

}  // namespace stentor::daemon::config_file
