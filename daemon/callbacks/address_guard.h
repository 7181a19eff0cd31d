// Which addresses a callback may be sent to: none that is private, unless the configuration says.
//
// A URL's host and its DNS are somebody else's; without this they could make the daemon talk to
// what only this machine or its network can reach. Asked with the very address to connect to.
//
// Owns     The ranges that are allowed all the same.
// Threads  Read-only: any thread.
// Spec     RFC 6890 (special-purpose addresses), RFC 4193, RFC 4291
#pragma once

#include <sys/socket.h>

#include <utility>
#include <vector>

#include "daemon/config/callback_config.h"

namespace stentor::daemon {

class AddressGuard {
 public:
  explicit AddressGuard(std::vector<Network> allowed) : allowed_(std::move(allowed)) {}

  /// False for what is not IPv4 or IPv6 as well.
  [[nodiscard]] bool allows(const sockaddr& address) const;

 private:
  std::vector<Network> allowed_;
};

}  // namespace stentor::daemon
