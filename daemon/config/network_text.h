// Ranges of addresses as people write them.
//
// Errors   Nothing for what is none.
// Threads  Pure functions.
// Spec     RFC 4632 section 3.1, RFC 4291 section 2.3
#pragma once

#include <optional>
#include <string_view>

#include "daemon/config/callback_config.h"

namespace stentor::daemon {

/// "10.0.0.0/8", "127.0.0.1", "fd00::/8".
[[nodiscard]] std::optional<Network> parse_network(std::string_view text);

/// True when `address`, written as IPv6, is in it.
[[nodiscard]] bool contains(const Network& network, const std::array<std::uint8_t, 16>& address);

}  // namespace stentor::daemon
