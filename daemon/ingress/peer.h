// Who is on the other end of a local connection, and what he may do.
//
// Owns     Its name.
// Threads  A plain value.
// Spec     docs/protocol.md, "Who may do what"
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace stentor::daemon {

struct Peer {
  std::string client;  ///< what refs, campaigns, consumers and messages belong to
  uid_t uid = 0;
  bool is_client = false;  ///< where it is not, `client` is a name that no client can have
  bool may_submit = false;
  bool may_observe = false;  ///< sees other clients' messages and events
  bool is_admin = false;
  const ClientConfig* config = nullptr;  ///< its limits; nothing where no [[client]] is configured

  /// True when `list` is empty or names `what`.
  [[nodiscard]] static bool allows(const std::vector<std::string>& list, std::string_view what);
};

/// The peer of a connected Unix socket, by its credentials at connect time.
[[nodiscard]] Peer identify_peer(int socket, const Config& config);

}  // namespace stentor::daemon
