// Cancels one message, wherever its ticket waits, without looking for the ticket.
//
// Its place is buried first: from then on whoever comes upon its ticket drops it. Then every shard
// is asked whether it has it in hand, and when all that shards had written by then is durable, its
// history is final: a message that neither went nor ended waits, and may be given its verdict.
//
// Owns     Cancels under way: at most as many as connections.
// Errors   A Refusal becomes a `rejected` reply: not_found, or conflict for one that has gone.
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

namespace stentor::daemon {

class MessageCancel {
 public:
  using Reply = std::function<void(std::string)>;

  MessageCancel(History& history, const ShardQuestions& shards, BuriedMessages& buried)
      : history_(history), shards_(shards), buried_(buried) {}

  /// By id, or by the place of its accepted record.
  void cancel(std::string id, std::optional<queue::Locator> place, const Peer& peer, Reply reply);

 private:
  void bury(const MessageStanding& found, const Peer& peer, Reply reply);
  void look_again(const MessageStanding& found, const Peer& peer, Reply reply);

  History& history_;
  const ShardQuestions& shards_;
  BuriedMessages& buried_;
};

}  // namespace stentor::daemon
