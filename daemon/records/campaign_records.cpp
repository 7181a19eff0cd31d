#include "daemon/records/campaign_records.h"

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
}

void encode(const Campaign& campaign, bool cancels, FieldWriter& out) {
  put(campaign, out);
  out.u8(cancels ? 1 : 0);
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
  if (!in.is_good()) return std::nullopt;
  return totals;
}

std::optional<CampaignSet> decode_campaign_set(std::span<const std::uint8_t> payload,
                                               queue::Locator at) {
  FieldReader in(payload);
  CampaignSet set;
  set.campaign = take(in);
  set.cancels = in.u8() != 0;
  if (!in.is_good()) return std::nullopt;
  if (set.cancels) set.campaign.cancelled_before = at;
  return set;
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
