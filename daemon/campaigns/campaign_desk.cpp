#include "daemon/campaigns/campaign_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/failpoints/failpoint.h"
#include "daemon/ingress/admission.h"
#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"

namespace stentor::daemon {
namespace {

// Those that gave their place to others are looked for now and then.
constexpr std::uint32_t kRoundsBetweenLooks = 600;

std::string_view state_of(const CampaignLedger::Standing& standing) {
  if (standing.campaign.is_paused) return "paused";
  if (standing.counts.waiting() > 0) return "active";
  return standing.counts.live() > 0 ? "sent" : "done";
}

// Everything but the closing brace.
void append_standing(const CampaignLedger::Standing& standing, std::string& out) {
  const Campaign& campaign = standing.campaign;
  const CampaignCounts& counts = standing.counts;
  append_member("name", campaign.name, out);
  append_member("client", campaign.client, out);
  append_member("state", state_of(standing), out);
  append_member("weight", campaign.weight, out);
  if (campaign.rate > 0) append_member("rate_limit", campaign.rate, out);
  if (!campaign.moved_to.empty()) append_member("moved_to", campaign.moved_to, out);
  append_member("accepted", counts.ledger.accepted, out);
  append_member("waiting", counts.waiting(), out);
  append_member("sent", counts.ledger.sent, out);
  append_member("awaiting_receipt", counts.awaiting_receipt(), out);
  append_member("delivered", counts.ledger.delivered, out);
  append_member("sent_final", counts.ledger.sent_final, out);
  append_member("failed", counts.ledger.failed, out);
  append_member("expired", counts.ledger.expired, out);
  append_member("cancelled", counts.ledger.cancelled, out);
  append_member("unknown", counts.ledger.unknown, out);
  append_member("live", counts.live(), out);
  append_key("rate", out);
  out.append(fmt::format("{:.1f}", standing.sent_per_second));
  append_time("created", campaign.created_ms, out);
  append_time("changed", campaign.changed_ms, out);
}

// The limit that is told for the whole is that of the carrier where most of it waits.
void append_carriers(const std::vector<FlowAtCarrier>& carriers, double rate, std::string& out) {
  std::uint64_t waiting = 0;
  std::uint64_t most = 0;
  FlowLimit limit = FlowLimit::nothing;
  for (const FlowAtCarrier& at : carriers) {
    waiting += at.waiting() + at.reserved;
    if (at.waiting() > most) {
      most = at.waiting();
      limit = at.limit;
    }
  }
  append_member("limited_by", word_of(limit), out);
  if (waiting > 0 && rate > 0 && limit != FlowLimit::paused) {
    append_member("seconds_to_finish",
                  static_cast<std::uint64_t>(static_cast<double>(waiting) / rate), out);
  }
  open_list("carriers", out);
  for (const FlowAtCarrier& at : carriers) {
    if (at.waiting() + at.reserved == 0) continue;
    open_object(out);
    append_member("name", at.carrier, out);
    append_member("ready", at.ready, out);
    append_member("scheduled", at.scheduled, out);
    append_member("reserved", at.reserved, out);
    append_member("in_doubt", at.in_doubt, out);
    append_member("limited_by", word_of(at.limit), out);
    out.push_back('}');
  }
  out.push_back(']');
}

struct OrderPlaces {
  Failpoint before = Failpoint::none;
  Failpoint durable = Failpoint::none;
};

OrderPlaces places_of(CampaignAction action) {
  switch (action) {
    case CampaignAction::pause: return {Failpoint::pause_before, Failpoint::pause_durable};
    case CampaignAction::resume: return {Failpoint::resume_before, Failpoint::resume_durable};
    case CampaignAction::cancel:
      return {Failpoint::campaign_cancel_before, Failpoint::campaign_cancel_durable};
    case CampaignAction::list:
    case CampaignAction::show:
    case CampaignAction::create:
    case CampaignAction::set:
    case CampaignAction::move:
    case CampaignAction::wait:
    case CampaignAction::report: break;
  }
  return {};
}

// Where a place may be of several kinds, `none` is none of them.
void pass(Failpoint place) {
  if (place != Failpoint::none) failpoint(place);
}

}  // namespace

FlowOrder order_of(const Campaign& campaign) {
  return {.flow = campaign.flow,
          .is_paused = campaign.is_paused,
          .weight = campaign.weight,
          .cancelled_before = campaign.cancelled_before,
          .has_rate = campaign.rate > 0,
          .moved_to = campaign.moved_to,
          .moved_before = campaign.moved_before};
}

CampaignDesk::CampaignDesk(CampaignRegistry& registry, const CampaignLedger& ledger,
                           CommitFeed& feed, Carriers carriers)
    : registry_(registry), ledger_(ledger), feed_(feed), carriers_(std::move(carriers)) {
  for (const CampaignLedger::Standing& standing : ledger.all()) {
    pacing_.set_rate(standing.campaign.flow, standing.campaign.rate);
  }
}

void CampaignDesk::answer(const CampaignRequest& request, const Peer& peer, std::uint64_t now_ms,
                          Reply reply) {
  if (request.action == CampaignAction::list) return list(peer, reply);
  if (request.action == CampaignAction::create)
    return create(request, peer, now_ms, std::move(reply));

  const auto found = find(request, peer);
  if (!found) {
    std::string refused;
    append_rejection(found.error(), refused);
    return reply(std::move(refused));
  }
  const Campaign* campaign = *found;
  switch (request.action) {
    case CampaignAction::show: return show(*campaign, std::move(reply));
    case CampaignAction::wait: return wait(*campaign, std::move(reply));
    case CampaignAction::set:
    case CampaignAction::pause:
    case CampaignAction::resume:
    case CampaignAction::cancel:
    case CampaignAction::move: break;
    case CampaignAction::list:
    case CampaignAction::create:          // answered above
    case CampaignAction::report: return;  // the connection streams it
  }
  if (campaign->client != peer.client && !peer.is_admin) {
    return reply(rejection("not_permitted", "campaign: another client's"));
  }
  if (!peer.may_submit && !peer.is_admin) {
    return reply(rejection("not_permitted", "campaign: this client may only look"));
  }
  if (request.action == CampaignAction::move) {
    if (!carriers_.is_known(request.carrier)) {
      return reply(rejection("unknown_carrier", "carrier: no such carrier"));
    }
    if (!peer.is_admin && peer.config != nullptr &&
        !Peer::allows(peer.config->carriers, request.carrier)) {
      return reply(rejection("not_permitted", "carrier: not among this client's carriers"));
    }
  }
  order(request, *campaign, now_ms, std::move(reply));
}

std::expected<const Campaign*, Refusal> CampaignDesk::find(const CampaignRequest& request,
                                                           const Peer& peer) const {
  const bool may_see_all = peer.may_observe || peer.is_admin;
  const Campaign* campaign = nullptr;
  if (!request.client.empty()) {
    if (request.client == peer.client || may_see_all) {
      campaign = registry_.find(request.client, request.name);
    }
  } else if (campaign = registry_.find(peer.client, request.name);
             campaign == nullptr && may_see_all) {
    const auto others = registry_.named(request.name);
    if (others.size() > 1) {
      return std::unexpected(
          Refusal{"bad_field",
                  fmt::format("client: {} clients have a campaign of this name", others.size()),
                  {}});
    }
    if (!others.empty()) campaign = others.front();
  }
  if (campaign == nullptr) {
    return std::unexpected(Refusal{"not_found", "name: no such campaign", {}});
  }
  return campaign;
}

void CampaignDesk::list(const Peer& peer, const Reply& reply) const {
  std::string out;
  std::size_t lines = 0;
  for (const CampaignLedger::Standing& standing : ledger_.all()) {
    if (standing.campaign.name.empty()) continue;
    if (standing.campaign.client != peer.client && !peer.may_observe && !peer.is_admin) continue;
    out.push_back('{');
    append_standing(standing, out);
    out.append("}\n");
    ++lines;
  }
  out.append(fmt::format(R"({{"status":"ok","done":true,"lines":{}}})", lines));
  reply(std::move(out));
}

void CampaignDesk::create(const CampaignRequest& request, const Peer& peer, std::uint64_t now_ms,
                          Reply reply) {
  if (!peer.may_submit)
    return reply(rejection("not_permitted", "campaign: this client may only look"));
  if (!request.client.empty() && request.client != peer.client) {
    return reply(rejection("not_permitted", "client: a campaign is made by its own client"));
  }
  if (registry_.find(peer.client, request.name) != nullptr) {
    return reply(rejection("conflict", "name: there is such a campaign"));
  }
  if (!registry_.number_of(peer.client, request.name, now_ms, feed_.open())) {
    return reply(rejection("busy", "campaign: as many as can be kept have messages under way"));
  }
  order(request, *registry_.find(peer.client, request.name), now_ms, std::move(reply));
}

void CampaignDesk::order(const CampaignRequest& request, const Campaign& campaign,
                         std::uint64_t now_ms, Reply reply) {
  pass(places_of(request.action).before);
  Campaign changed = campaign;
  changed.changed_ms = now_ms;
  if (request.action == CampaignAction::pause) changed.is_paused = true;
  if (request.action == CampaignAction::resume) changed.is_paused = false;
  if (request.weight) changed.weight = *request.weight;
  if (request.rate) changed.rate = *request.rate;
  auto reach = OrderReach::later;
  if (request.action == CampaignAction::cancel) reach = OrderReach::cancels;
  if (request.action == CampaignAction::move) {
    reach = OrderReach::moves;
    changed.moved_to = request.carrier;
  }
  registry_.change(changed, reach, feed_.open());
  ordered_.push_back({.batch = feed_.open_number(),
                      .action = request.action,
                      .flow = changed.flow,
                      .reply = std::move(reply)});
}

// A campaign that began with its client's weight; one whose number means nothing any more.
void CampaignDesk::tell_weights(const CommitBatch& batch) {
  for (const CampaignChange& change : batch.campaigns) {
    // What nobody speaks of weighs 1. Cancels and moves are told as what they are, once.
    if (change.campaign.weight == 1 || change.reach != OrderReach::later) continue;
    FlowOrder order;
    order.flow = change.campaign.flow;
    if (!change.is_forgotten) {
      const auto standing = ledger_.find(change.campaign.flow);
      if (!standing) continue;
      order = order_of(standing->campaign);
    }
    carriers_.ask(order, true, [](const std::vector<FlowAtCarrier>&) {});
  }
}

void CampaignDesk::on_settled(const CommitBatch& batch) {
  if (!batch.failure) tell_weights(batch);
  if (ordered_.empty()) return;
  std::vector<Ordered> settled;
  std::erase_if(ordered_, [&](Ordered& ordered) {
    if (ordered.batch > batch.number) return false;
    settled.push_back(std::move(ordered));
    return true;
  });
  for (Ordered& ordered : settled) {
    if (batch.failure) {
      ordered.reply(rejection("unavailable", "storage failed before anything was written"));
    } else {
      on_durable(std::move(ordered));
    }
  }
}

// What the ledger has is what the record says: it was applied before we were told.
void CampaignDesk::on_durable(Ordered ordered) {
  pass(places_of(ordered.action).durable);
  const auto standing = ledger_.find(ordered.flow);
  if (!standing) return ordered.reply(rejection("not_found", "name: no such campaign"));
  pacing_.set_rate(ordered.flow, standing->campaign.rate);
  carriers_.ask(order_of(standing->campaign), true,
                [standing = *standing, action = ordered.action,
                 reply = std::move(ordered.reply)](const std::vector<FlowAtCarrier>& carriers) {
                  std::uint64_t waiting = 0;
                  std::uint64_t elsewhere = 0;
                  std::uint64_t reserved = 0;
                  for (const FlowAtCarrier& at : carriers) {
                    waiting += at.waiting();
                    if (at.carrier != standing.campaign.moved_to) elsewhere += at.waiting();
                    reserved += at.reserved;
                  }
                  std::string out = "{";
                  append_member("status", "ok", out);
                  append_member("name", standing.campaign.name, out);
                  append_member("client", standing.campaign.client, out);
                  append_member("state", state_of(standing), out);
                  append_member("weight", standing.campaign.weight, out);
                  if (standing.campaign.rate > 0) {
                    append_member("rate_limit", standing.campaign.rate, out);
                  }
                  if (action == CampaignAction::cancel) {
                    append_member("cancelling", waiting, out);
                  } else if (action == CampaignAction::move) {
                    append_member("carrier", standing.campaign.moved_to, out);
                    append_member("moving", elsewhere, out);
                    append_member("waiting", waiting, out);
                  } else {
                    append_member("waiting", waiting, out);
                  }
                  append_member("under_way", reserved, out);
                  out.push_back('}');
                  reply(std::move(out));
                });
}

void CampaignDesk::show(const Campaign& campaign, Reply reply) const {
  const auto standing = ledger_.find(campaign.flow);
  if (!standing) return reply(rejection("not_found", "name: no such campaign"));
  carriers_.ask(
      order_of(campaign), false,
      [standing = *standing, reply = std::move(reply)](const std::vector<FlowAtCarrier>& carriers) {
        std::string out = "{";
        append_member("status", "ok", out);
        append_standing(standing, out);
        append_carriers(carriers, standing.sent_per_second, out);
        out.push_back('}');
        reply(std::move(out));
      });
}

void CampaignDesk::wait(const Campaign& campaign, Reply reply) {
  if (waiters_.size() >= kWaitersMax) {
    return reply(rejection("busy", "campaign: too many wait for one to end"));
  }
  waiters_.push_back({campaign.flow, std::move(reply)});
  look_for_ends();
}

void CampaignDesk::look_for_ends() {
  std::vector<std::pair<Reply, std::string>> ended;
  std::erase_if(waiters_, [&](Waiter& waiter) {
    const auto standing = ledger_.find(waiter.flow);
    if (standing && standing->counts.live() > 0) return false;
    std::string out = "{";
    append_member("status", "ok", out);
    if (standing) append_standing(*standing, out);
    out.push_back('}');
    ended.emplace_back(std::move(waiter.reply), std::move(out));
    return true;
  });
  for (auto& [reply, line] : ended) reply(std::move(line));
}

void CampaignDesk::deal_shares(std::chrono::steady_clock::time_point now) {
  if (pacing_.is_idle() || is_dealing_) return;
  if (++rounds_ % kRoundsBetweenLooks == 0) {
    pacing_.keep([this](queue::Flow flow) { return ledger_.find(flow).has_value(); });
  }
  is_dealing_ = true;
  carriers_.collect_shares([this, now](const std::vector<FlowShare>& found) {
    is_dealing_ = false;
    const auto dealt = pacing_.deal(found, now);
    if (!dealt.empty()) carriers_.deal_shares(dealt);
  });
}

}  // namespace stentor::daemon
