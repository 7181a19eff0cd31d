// Writes the delivery keys of a carrier back as the right-hand sides of TOML.
//
// Owns     The texts it returns.
// Threads  Pure functions.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace stentor::daemon::config_file {

/// `{ 0x400 = { class = "temporary", code = "…" }, … }`
[[nodiscard]] std::string write_status(const std::vector<StatusOverlay>& status);
[[nodiscard]] std::string write_retry(const RetryConfig& retry);
/// `["a", "b"]`, or with weights where the route shares.
[[nodiscard]] std::string write_targets(const RouteConfig& route);
[[nodiscard]] std::string write_rewrites(const std::vector<Rewrite>& rewrites);
[[nodiscard]] std::string write_limits(const std::vector<RateLimit>& limits);

}  // namespace stentor::daemon::config_file
