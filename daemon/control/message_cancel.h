// Cancels one message, wherever its ticket waits, without looking for the ticket.
//
// Its place is buried first: from then on whoever comes upon its ticket drops it. Then every shard
// is asked whether it has it in hand, and when all that shards had written by then is durable, its
// history is final: a message that neither went nor ended waits, and may be given its verdict.
// What the carrier has taken is called back by cancel_sm where that is asked for: the message ends
// as cancelled when the carrier confirms each part that it has not reported on.
//
// Owns     Cancels under way: at most as many as connections.
// Errors   A Refusal becomes a `rejected` reply: not_found, conflict for one that has gone and is
//          not called back, not_supported where the carrier does not know how.
// Threads  cancel() on the ingress thread; the reply is called on any.
// Spec     docs/protocol.md, "cancel"
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/control/history.h"
#include "daemon/control/shard_questions.h"
#include "daemon/delivery/buried_messages.h"
#include "daemon/ingress/peer.h"
#include "daemon/ingress/request.h"

namespace stentor::daemon {

class MessageCancel {
 public:
  using Reply = std::function<void(std::string)>;

  MessageCancel(History& history, const ShardQuestions& shards, BuriedMessages& buried)
      : history_(history), shards_(shards), buried_(buried) {}

  void cancel(CancelQuestion question, const Peer& peer, Reply reply);

 private:
  struct Asked {
    Peer peer;
    bool at_carrier = false;
    Reply reply;
  };
  void bury(const MessageStanding& found, Asked asked);
  void look_again(const MessageStanding& found, Asked asked);
  void end_here(const MessageStanding& ended, const Asked& asked);
  void call_back(const MessageStanding& found, const Asked& asked);
  void tell(const MessageStanding& before, const CancelReport& report, const Asked& asked);

  History& history_;
  const ShardQuestions& shards_;
  BuriedMessages& buried_;
};

}  // namespace stentor::daemon
