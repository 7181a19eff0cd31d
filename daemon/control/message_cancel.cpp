#include "daemon/control/message_cancel.h"

#include <fmt/format.h>

#include <utility>

#include "daemon/ingress/admission.h"
#include "daemon/ingress/json.h"

namespace stentor::daemon {
namespace {

std::string rejection(std::string_view code, std::string detail) {
  std::string reply;
  append_rejection({code, std::move(detail), {}}, reply);
  return reply;
}

std::string cancelled(const MessageStanding& found) {
  const auto text = found.id.text();
  std::string out = "{";
  append_member("status", "ok", out);
  append_member("id", {text.data(), text.size()}, out);
  append_member("state", "cancelled", out);
  if (found.possible_duplicate) out.append(",\"possible_duplicate\":true");
  out.push_back('}');
  return out;
}

std::string has_gone(const MessageStanding& found) {
  return rejection("conflict", fmt::format("cancel: it is {}", name_of(found.state)));
}

}  // namespace

void MessageCancel::cancel(std::string id, std::optional<queue::Locator> place, const Peer& peer,
                           Reply reply) {
  history_.find(
      std::move(id), place,
      [this, peer, reply = std::move(reply)](const std::optional<MessageStanding>& found) {
        if (!found || (found->client != peer.client && !peer.may_observe && !peer.is_admin)) {
          return reply(rejection("not_found", "cancel: no such message"));
        }
        if (found->client != peer.client && !peer.is_admin) {
          return reply(rejection("not_permitted", "cancel: another client's"));
        }
        if (found->state != State::none) return reply(has_gone(*found));
        bury(*found, peer, reply);
      });
}

void MessageCancel::bury(const MessageStanding& found, const Peer& peer, Reply reply) {
  if (!buried_.bury(found.at)) {
    return reply(rejection("busy", "cancel: too many at once; cancel their campaign"));
  }
  shards_.call_back(found.at, found.id.sequence(),
                    [this, found, peer, reply = std::move(reply)](CalledBack came) {
                      switch (came) {
                        case CalledBack::ended:  // by the shard that had it in hand
                          buried_.unbury(found.at);
                          return reply(cancelled(found));
                        case CalledBack::under_way:
                          buried_.unbury(found.at);
                          return reply(rejection("conflict", "cancel: it is being sent"));
                        case CalledBack::not_here: return look_again(found, peer, reply);
                      }
                    });
}

void MessageCancel::look_again(const MessageStanding& before, const Peer& peer, Reply reply) {
  const auto text = before.id.text();
  history_.find(
      std::string(text.data(), text.size()), before.at,
      [this, before, peer, reply = std::move(reply)](const std::optional<MessageStanding>& found) {
        if (!found || found->state != State::none) {
          buried_.unbury(before.at);
          return reply(found ? has_gone(*found)
                             : rejection("not_found", "cancel: no such message"));
        }
        shards_.end_buried(found->at, found->carrier, found->possible_duplicate,
                           [reply, found = *found] { reply(cancelled(found)); });
      });
}

}  // namespace stentor::daemon
