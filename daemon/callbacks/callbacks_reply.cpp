#include "daemon/callbacks/callbacks_reply.h"

#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"

namespace stentor::daemon {

std::string callbacks_reply(const CallbackServer& server, const Peer& peer) {
  const auto sees = [&](const std::string& client) {
    return peer.may_observe || client == peer.client;
  };
  std::string out = "{";
  append_member("status", "ok", out);
  open_list("targets", out);
  for (const CallbackFigures& target : server.figures()) {
    if (!sees(target.client)) continue;
    open_object(out);
    append_member("client", target.client, out);
    append_member("target", target.target, out);
    append_member("posted", target.posted, out);
    append_member("failed_requests", target.failed, out);
    append_member("dead", target.dead, out);
    append_member("unread", target.unread, out);
    append_member("waiting", target.waiting, out);
    append_member("last_error", target.last_error, out);
    out.push_back('}');
  }
  out.push_back(']');
  open_list("dead", out);
  for (const auto& letter : server.dead_letters()) {
    if (!sees(letter.client)) continue;
    open_object(out);
    append_member("client", letter.client, out);
    append_member("target", letter.target, out);
    append_member("cursor", to_cursor(letter.event), out);
    append_time("time", letter.time_ms, out);
    append_member("reason", letter.reason, out);
    out.push_back('}');
  }
  return out.append("]}");
}

}  // namespace stentor::daemon
