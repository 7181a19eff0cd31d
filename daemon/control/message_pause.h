// Pauses one message, wherever its ticket waits, and lets it go on, without looking for the ticket.
//
// As for a cancel (message_cancel.h): its place is noted first, so that whoever picks its ticket
// puts it aside; then every shard says whether it has it in hand, and its history whether it still
// waits; then one record says that it is paused. To let it go on the record comes first.
//
// Owns     Orders under way: at most as many as connections.
// Errors   A Refusal becomes a `rejected` reply: not_found, conflict for one that has gone or is
//          being sent, busy where too many are paused or two order the same one about.
// Threads  order() on the ingress thread; the reply is called on any.
// Spec     docs/protocol.md, "pause and resume"
#pragma once

#include <functional>
#include <string>

#include "daemon/control/history.h"
#include "daemon/control/shard_questions.h"
#include "daemon/delivery/paused_messages.h"
#include "daemon/ingress/peer.h"
#include "daemon/ingress/request.h"

namespace stentor::daemon {

class MessagePause {
 public:
  using Reply = std::function<void(std::string)>;

  MessagePause(History& history, const ShardQuestions& shards, PausedMessages& paused)
      : history_(history), shards_(shards), paused_(paused) {}

  void order(PauseQuestion question, const Peer& peer, Reply reply);

 private:
  struct Asked {
    Peer peer;
    bool pauses = true;
    Reply reply;
  };
  void on_found(const MessageStanding& found, Asked asked);
  void pause(const MessageStanding& found, Asked asked);
  void look_again(const MessageStanding& before, Asked asked);
  void say(const MessageStanding& found, Asked asked);
  void resume(const MessageStanding& found, const Asked& asked);
  void undo(const MessageStanding& found, const Asked& asked, std::string reply);

  History& history_;
  const ShardQuestions& shards_;
  PausedMessages& paused_;
};

}  // namespace stentor::daemon
