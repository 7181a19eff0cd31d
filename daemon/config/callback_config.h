// What the configuration says of HTTP callbacks: whose events go where, and where none may go.
//
// Owns     Everything it says, the secrets that sign included: never print one.
// Threads  Read-only once loaded.
// Spec     docs/configuration.md, [callbacks] and callback in [[client]]
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stentor::daemon {

/// What `types` may name; docs/protocol.md, "events".
inline constexpr std::array<std::string_view, 12> kEventTypeNames = {
    "sent", "delivered", "failed",    "expired",  "cancelled", "unknown",
    "part", "receipt",   "uncertain", "conflict", "inbound",   "opt_out"};

/// One client's.
struct CallbackConfig {
  std::string url;                               ///< a template: callbacks/url_template.h
  std::map<std::string, std::string> campaigns;  ///< by campaign, instead of `url`
  std::string secret;                            ///< signs the body; empty: no signature
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> types;  ///< of events; empty: all
  std::chrono::milliseconds timeout{10'000};
  std::uint32_t batch = 100;  ///< events in one request at most
  std::chrono::seconds give_up_after{24 * 3600};
};

/// A range of addresses, IPv4 as IPv6 has it (::ffff:0:0/96).
struct Network {
  std::array<std::uint8_t, 16> address{};
  unsigned bits = 128;
};

struct CallbacksConfig {
  std::vector<Network> allow;           ///< that would be refused otherwise
  std::vector<std::string> allow_text;  ///< as written
  std::uint32_t in_flight = 4;          ///< requests to one host at once
  std::string ca;                       ///< a file of certificates; empty: the system's
};

}  // namespace stentor::daemon
