// Asks every shard something and gathers what they say, without anybody waiting.
//
// Owns     Nothing: shards and their loops outlive it.
// Errors   A thread that is gone answers nothing, and neither do we.
// Threads  Called on any thread; `done` and replies run on the ingress thread.
// Spec     docs/protocol.md, "campaign" and "resolve"
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daemon/delivery/shard.h"

namespace stentor::daemon {

class ShardQuestions {
 public:
  using Reply = std::function<void(std::string)>;

  explicit ShardQuestions(boost::asio::io_context& ingress) : ingress_(ingress) {}
  void add(boost::asio::io_context& context, Shard& shard) {
    members_.push_back({&context, &shard});
  }

  /// Gives the order to all carriers when `obey`; tells what each has of the flow.
  void ask_flow(const FlowOrder& order, bool obey,
                std::function<void(std::vector<FlowAtCarrier>)> done) const;
  /// What carriers have left of campaigns' shares; they stop there until deal_shares().
  void collect_shares(std::function<void(std::vector<FlowShare>)> done) const;
  void deal_shares(const std::vector<FlowShare>& dealt) const;
  /// Somebody's word on a message in doubt; answered when it is durable.
  void resolve(MessageId id, DoubtEnd as, const Peer& peer, Reply reply) const;

  /// What the carriers have in hand of a buried message, once all they had written is durable.
  void call_back(queue::Locator at, std::uint64_t sequence, std::string by,
                 std::function<void(CalledBack)> done) const;
  /// Gives a buried message its verdict; `done` when it is durable, with false when its record
  /// cannot be read and nothing was written.
  void end_buried(queue::Locator at, std::string carrier, bool possible_duplicate, std::string by,
                  std::function<void(bool)> done) const;

  /// Whether a carrier is sending a message of PausedMessages, once all they had written is
  /// durable. Where it was only reserved it goes back to its lane.
  void keeps_in_hand(queue::Locator at, std::function<void(bool)> done) const;
  /// That a message is paused, or goes on; `done` when it is durable.
  void say_paused(const std::string& carrier, const PauseOrder& order,
                  std::function<void(PauseSaid)> done) const;
  /// It is no longer paused: whoever has put it aside puts it back.
  void let_go(queue::Locator at) const;

  /// Asks the carrier to call back what it has taken; `done` when what came of it is durable.
  void cancel_at_carrier(const std::string& carrier, CancelOrder order,
                         std::function<void(const CancelReport&)> done) const;

 private:
  struct Member {
    boost::asio::io_context* context;
    Shard* shard;
  };
  enum class Answers : std::uint8_t {
    at_once,
    when_durable  ///< all that the shard's carriers had written by then
  };
  /// Asks every shard on its own thread, adds up what they say, and is done with the last of them.
  template <class Total, class Ask, class Add>
  void ask_all(Answers come, const Ask& ask, Add add, std::function<void(Total)> done) const;
  /// The one on whose shard the carrier lives, or the first where it is gone.
  [[nodiscard]] const Member& member_of(std::string_view carrier) const;

  boost::asio::io_context& ingress_;
  std::vector<Member> members_;
};

}  // namespace stentor::daemon
