// Reads what the configuration writes with a unit: times, sizes, addresses, modes; and how long
// texts may be that several sections have.
//
// Units    Milliseconds; octets.
// Errors   nullopt when the text is not one of these; the caller knows the key and says so.
// Threads  Pure functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/config/config.h"

namespace stentor::daemon::config_file {

inline constexpr std::size_t kSystemIdOctets = 15;  // SMPP 3.4 section 5.2.1, less its NUL
inline constexpr std::size_t kPrefixDigits = 15;    // ITU-T E.164: no number is longer

/// "250ms", "30s", "5m", "72h": one whole number and one unit, nothing between or around them.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "512MiB": one whole number and KiB, MiB or GiB.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// "127.0.0.1:2775", "smsc.example:2775", "[::1]:2775". The port is 1 to 65535.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);

/// "0660": three or four octal digits, permission bits only.
[[nodiscard]] std::optional<std::uint32_t> parse_mode(std::string_view text);

/// The shortest exact way to write it: "30s" for 30000 ms.
[[nodiscard]] std::string write_duration(std::chrono::milliseconds duration);
[[nodiscard]] std::string write_size(std::uint64_t octets);

}  // namespace stentor::daemon::config_file
