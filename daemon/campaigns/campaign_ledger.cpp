#include "daemon/campaigns/campaign_ledger.h"

#include <algorithm>

namespace stentor::daemon {
namespace {

// A rate that a person reads: the last ten seconds weigh most.
constexpr double kRateMemorySeconds = 10;

}  // namespace

CampaignLedger::Entry& CampaignLedger::entry(queue::Flow flow) {
  auto& found = entries_[flow];
  if (!found) {
    found = std::make_unique<Entry>();
    found->standing.campaign.flow = flow;
    highest_ = std::max(highest_, flow);
  }
  return *found;
}

// The first record of a campaign has all that came before it; those of later files repeat what has
// been counted by then.
void CampaignLedger::restore(const CampaignTotals& totals) {
  if (entries_.contains(totals.campaign.flow)) return;
  Entry& made = entry(totals.campaign.flow);
  made.standing.campaign = totals.campaign;
  made.standing.counts = totals.counts;
  made.sent_at_sample = totals.counts.ledger.sent;
}

bool CampaignLedger::restore(const queue::Record& record) {
  const auto kind = static_cast<RecordKind>(record.kind);
  if (kind == RecordKind::campaign) {
    const auto totals = decode_campaign(record.payload);
    if (totals) restore(*totals);
    return totals.has_value();
  }
  if (kind == RecordKind::campaign_set) {
    const auto set = decode_campaign_set(record.payload);
    if (!set) return false;
    Campaign& campaign = entry(set->campaign.flow).standing.campaign;
    campaign = campaign_after(campaign, *set, record.at);
    return true;
  }
  const auto forgotten = decode_forgotten(record.payload);
  if (forgotten) entries_.erase(*forgotten);
  return forgotten.has_value();
}

queue::Flow CampaignLedger::adopt(queue::Flow flow, std::string_view client,
                                  std::string_view name) {
  if (flow != 0) {
    Campaign& campaign = entry(flow).standing.campaign;
    if (campaign.client.empty()) {
      campaign.client = client;
      campaign.name = name;
    }
    return flow;
  }
  for (const auto& [number, known] : entries_) {
    const Campaign& campaign = known->standing.campaign;
    if (campaign.client == client && campaign.name == name) return number;
  }
  return adopt(highest_ + 1, client, name);
}

void CampaignLedger::restore_count(queue::Flow flow, State state, bool was_sent) {
  if (flow == 0) return;
  Entry& counted = entry(flow);
  counted.standing.counts.count(state, was_sent, 1);
  counted.sent_at_sample = counted.standing.counts.ledger.sent;
}

void CampaignLedger::restore_correction(queue::Flow flow, State state, State corrects) {
  if (flow == 0) return;
  CampaignCounts& counts = entry(flow).standing.counts;
  counts.count(state, true, 1);
  counts.ledger.take_back(corrects);
}

void CampaignLedger::weigh_clients(
    const std::function<std::uint16_t(std::string_view client)>& weight_of) {
  for (const auto& [flow, known] : entries_) {
    Campaign& campaign = known->standing.campaign;
    if (campaign.name.empty()) campaign.weight = weight_of(campaign.client);
  }
}

void CampaignLedger::apply(const CommitBatch& batch) {
  if (batch.flows.empty() && batch.campaigns.empty()) return;
  const std::lock_guard lock(guard_);
  for (const CampaignChange& change : batch.campaigns) {
    if (change.is_forgotten) {
      entries_.erase(change.campaign.flow);
      continue;
    }
    Campaign& campaign = entry(change.campaign.flow).standing.campaign;
    campaign = campaign_after(campaign, {.campaign = change.campaign, .reach = change.reach},
                              batch.records.at(change.record_offset));
  }
  for (const FlowChange& change : batch.flows) {
    CampaignCounts& counts = entry(change.flow).standing.counts;
    counts.count(change.state, change.was_sent, change.messages);
    if (change.corrects != State::none) counts.ledger.take_back(change.corrects);
  }
}

void CampaignLedger::add_to(queue::RecordBatch& preamble) const {
  const std::lock_guard lock(guard_);
  FieldWriter fields;
  for (const auto& [flow, known] : entries_) {
    fields.clear();
    encode(known->standing.campaign, known->standing.counts, fields);
    preamble.add(static_cast<std::uint8_t>(RecordKind::campaign), fields.octets());
  }
}

std::optional<CampaignLedger::Standing> CampaignLedger::find(queue::Flow flow) const {
  const std::lock_guard lock(guard_);
  const auto found = entries_.find(flow);
  if (found == entries_.end()) return std::nullopt;
  return found->second->standing;
}

std::vector<CampaignLedger::Standing> CampaignLedger::all() const {
  std::vector<Standing> all;
  {
    const std::lock_guard lock(guard_);
    all.reserve(entries_.size());
    for (const auto& [flow, known] : entries_) all.push_back(known->standing);
  }
  std::ranges::sort(all, {}, [](const Standing& standing) { return standing.campaign.flow; });
  return all;
}

void CampaignLedger::sample(std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(guard_);
  const double seconds = std::chrono::duration<double>(now - sampled_).count();
  const bool is_first = sampled_ == std::chrono::steady_clock::time_point{};
  sampled_ = now;
  if (is_first || seconds <= 0) return;
  const double share = std::min(1.0, seconds / kRateMemorySeconds);
  for (const auto& [flow, known] : entries_) {
    const std::uint64_t sent = known->standing.counts.ledger.sent;
    const double rate = static_cast<double>(sent - known->sent_at_sample) / seconds;
    known->standing.sent_per_second += share * (rate - known->standing.sent_per_second);
    known->sent_at_sample = sent;
  }
}

}  // namespace stentor::daemon
