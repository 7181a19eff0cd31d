#include "daemon/records/campaign_records.h"

#include <algorithm>

namespace stentor::daemon {
namespace {

void put(const Campaign& campaign, FieldWriter& out) {
  out.u32(campaign.flow);
  out.text(campaign.client);
  out.text(campaign.name);
  out.u64(campaign.created_ms);
  out.u64(campaign.changed_ms);
  out.u8(campaign.is_paused ? 1 : 0);
  out.u16(campaign.weight);
  out.u64(campaign.cancelled_before.bits());
}

Campaign take(FieldReader& in) {
  Campaign campaign;
  campaign.flow = in.u32();
  campaign.client = in.text();
  campaign.name = in.text();
  campaign.created_ms = in.u64();
  campaign.changed_ms = in.u64();
  campaign.is_paused = in.u8() != 0;
  campaign.weight = in.u16();
  campaign.cancelled_before = queue::Locator(in.u64());
  return campaign;
}

// At the end, so that what the first version wrote, which ends before, decodes.
void put_later(const Campaign& campaign, FieldWriter& out) {
  out.u32(campaign.rate);
  out.text(campaign.moved_to);
  out.u64(campaign.moved_before.bits());
}

void take_later(FieldReader& in, Campaign& campaign) {
  if (in.is_at_end()) return;
  campaign.rate = in.u32();
  campaign.moved_to = in.text();
  campaign.moved_before = queue::Locator(in.u64());
}

}  // namespace

void CampaignCounts::count(State state, bool was_sent, std::uint64_t messages) noexcept {
  if (state == State::none) {
    ledger.accepted += messages;
    return;
  }
  ledger.count(state, messages);
  if (!is_final(state) || was_sent) return;
  // `sent_final` without a `sent` before it: sent and final in one step.
  (state == State::sent_final ? ledger.sent : final_unsent) += messages;
}

void encode(const Campaign& campaign, const CampaignCounts& counts, FieldWriter& out) {
  put(campaign, out);
  const Ledger& ledger = counts.ledger;
  for (const std::uint64_t figure :
       {ledger.accepted, ledger.delivered, ledger.sent_final, ledger.failed, ledger.expired,
        ledger.cancelled, ledger.unknown, ledger.sent, counts.final_unsent}) {
    out.varint(figure);
  }
  put_later(campaign, out);
}

void encode(const Campaign& campaign, OrderReach reach, FieldWriter& out) {
  put(campaign, out);
  out.u8(static_cast<std::uint8_t>(reach));
  put_later(campaign, out);
}

std::optional<CampaignTotals> decode_campaign(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  CampaignTotals totals;
  totals.campaign = take(in);
  Ledger& ledger = totals.counts.ledger;
  for (std::uint64_t* figure :
       {&ledger.accepted, &ledger.delivered, &ledger.sent_final, &ledger.failed, &ledger.expired,
        &ledger.cancelled, &ledger.unknown, &ledger.sent, &totals.counts.final_unsent}) {
    *figure = in.varint();
  }
  take_later(in, totals.campaign);
  if (!in.is_good()) return std::nullopt;
  return totals;
}

std::optional<CampaignSet> decode_campaign_set(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  CampaignSet set;
  set.campaign = take(in);
  const std::uint8_t reach = in.u8();
  take_later(in, set.campaign);
  if (!in.is_good() || reach > static_cast<std::uint8_t>(OrderReach::moves)) return std::nullopt;
  set.reach = static_cast<OrderReach>(reach);
  return set;
}

Campaign campaign_after(const Campaign& before, const CampaignSet& set, queue::Locator at) {
  Campaign after = set.campaign;
  after.cancelled_before = set.reach == OrderReach::cancels
                               ? at
                               : std::max(after.cancelled_before, before.cancelled_before);
  after.moved_before =
      set.reach == OrderReach::moves ? at : std::max(after.moved_before, before.moved_before);
  return after;
}

void encode_forgotten(queue::Flow flow, FieldWriter& out) {
  out.u32(flow);
}

std::optional<queue::Flow> decode_forgotten(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  const queue::Flow flow = in.u32();
  if (!in.is_good()) return std::nullopt;
  return flow;
}

}  // namespace stentor::daemon
