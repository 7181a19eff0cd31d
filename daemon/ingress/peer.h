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
#include "daemon/ingress/id_map.h"

namespace stentor::daemon {

struct Peer {
  std::string client;  ///< what refs, campaigns, consumers and messages belong to
  uid_t uid = 0;
  bool is_client = false;  ///< where it is not, `client` is a name that no client can have
  bool is_hidden = false;  ///< one of all those whom our user namespace does not map
  bool may_submit = false;
  bool may_observe = false;  ///< sees other clients' messages and events
  bool is_admin = false;
  const ClientConfig* config = nullptr;  ///< its limits; nothing where no [[client]] is configured

  /// True when `list` is empty or names `what`.
  [[nodiscard]] static bool allows(const std::vector<std::string>& list, std::string_view what);
};

/// The peer of a connected Unix socket, by its credentials at connect time. Whom `ids` does not
/// tell from others is no client and may do nothing, whatever the configuration says of `nobody`.
[[nodiscard]] Peer identify_peer(int socket, const Config& config, const IdMaps& ids);

/// Whether this process would know itself on the other end of a connection. Where it does not,
/// nobody can be told from anybody.
[[nodiscard]] bool knows_itself(const IdMaps& ids);

}  // namespace stentor::daemon
