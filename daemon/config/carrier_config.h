// Reads one [[carrier]], its password included.
//
// Errors   Into the section's Mistakes; the answer is complete only when none were found.
// Threads  One thread: it reads files and the environment.
// Spec     SMPP 3.4 section 4.1.1 (bind fields), section 5.2.1 (their lengths).
#pragma once

#include <string>

#include "daemon/config/config.h"
#include "daemon/config/section.h"

namespace stentor::daemon::config_file {

/// Where passwords may come from besides the carrier's own table.
struct SecretSources {
  std::filesystem::path config_file;  ///< named in the advice
  unsigned config_mode = 0;
  bool config_open_to_others = false;     ///< then it must not hold a password
  std::filesystem::path credentials_dir;  ///< systemd's; empty: none
};

[[nodiscard]] CarrierConfig read_carrier(Section& section, const SecretSources& secrets);

/// Letters, digits, '-', '_' and '.', at most 32: it becomes part of file names and metrics.
[[nodiscard]] bool is_name(std::string_view text);

}  // namespace stentor::daemon::config_file
