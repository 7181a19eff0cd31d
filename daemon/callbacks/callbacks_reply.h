// The answer to a `callbacks` request: each target's figures, and what was given up lately.
//
// Threads  Any.
// Spec     docs/protocol.md, "HTTP callbacks"
#pragma once

#include <string>

#include "daemon/callbacks/callback_server.h"
#include "daemon/ingress/peer.h"

namespace stentor::daemon {

/// Of the peer's own client, or of all where it may observe; without its newline.
[[nodiscard]] std::string callbacks_reply(const CallbackServer& server, const Peer& peer);

}  // namespace stentor::daemon
