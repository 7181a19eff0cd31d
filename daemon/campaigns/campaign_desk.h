// Answers what is asked about campaigns, and carries out what is ordered.
//
// An order is one record: when it is durable it is given to every shard, and the answer says how
// many messages it found waiting. What becomes of each follows in the background.
//
// Units    Messages.
// Owns     Orders on their way to the disk, and those who wait for a campaign to end.
// Errors   A Refusal becomes a `rejected` reply. An order whose batch failed gets no answer.
// Threads  The ingress thread.
// Spec     docs/protocol.md, "campaign"
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "daemon/campaigns/campaign_ledger.h"
#include "daemon/campaigns/campaign_pacing.h"
#include "daemon/campaigns/campaign_registry.h"
#include "daemon/commit/commit_feed.h"
#include "daemon/delivery/flow_order.h"
#include "daemon/ingress/peer.h"
#include "daemon/ingress/request.h"

namespace stentor::daemon {

/// What a campaign's settings ask of carriers.
[[nodiscard]] FlowOrder order_of(const Campaign& campaign);

class CampaignDesk {
 public:
  using Reply = std::function<void(std::string)>;
  /// Gives the order to every carrier when there is one; tells what each has of the flow.
  using AskCarriers = std::function<void(const FlowOrder& order, bool obey,
                                         std::function<void(std::vector<FlowAtCarrier>)> done)>;

  /// How it speaks with the carriers.
  struct Carriers {
    AskCarriers ask;
    std::function<void(std::function<void(std::vector<FlowShare>)>)> collect_shares;
    std::function<void(const std::vector<FlowShare>&)> deal_shares;
    std::function<bool(std::string_view)> is_known;  ///< by its name
  };

  CampaignDesk(CampaignRegistry& registry, const CampaignLedger& ledger, CommitFeed& feed,
               Carriers carriers);

  void answer(const CampaignRequest& request, const Peer& peer, std::uint64_t now_ms, Reply reply);
  /// The campaign that is meant: the peer's own, or another's that he may see.
  [[nodiscard]] std::expected<const Campaign*, Refusal> find(const CampaignRequest& request,
                                                             const Peer& peer) const;
  void on_settled(const CommitBatch& batch);
  /// Answers those who waited for a campaign that has ended: call several times a second.
  void look_for_ends();
  /// Deals what campaigns with a rate may send: call ten times a second.
  void deal_shares(std::chrono::steady_clock::time_point now);

 private:
  // Each holds a connection; more than this is somebody who opens one for each message.
  static constexpr std::size_t kWaitersMax = 1024;
  struct Ordered {
    std::uint64_t batch;
    CampaignAction action;
    queue::Flow flow;
    Reply reply;
  };
  struct Waiter {
    queue::Flow flow;
    Reply reply;
  };

  void list(const Peer& peer, const Reply& reply) const;
  void create(const CampaignRequest& request, const Peer& peer, std::uint64_t now_ms, Reply reply);
  void show(const Campaign& campaign, Reply reply) const;
  void order(const CampaignRequest& request, const Campaign& campaign, std::uint64_t now_ms,
             Reply reply);
  void wait(const Campaign& campaign, Reply reply);
  void on_durable(Ordered ordered);
  void tell_weights(const CommitBatch& batch);

  CampaignRegistry& registry_;
  const CampaignLedger& ledger_;
  CommitFeed& feed_;
  Carriers carriers_;
  CampaignPacing pacing_;
  bool is_dealing_ = false;
  std::uint32_t rounds_ = 0;
  std::vector<Ordered> ordered_;
  std::vector<Waiter> waiters_;
};

}  // namespace stentor::daemon
