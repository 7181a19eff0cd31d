#include "daemon/campaigns/campaign_registry.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace stentor::daemon {
namespace {

// Its last message may still be on its way into the ledger: what was used a moment ago stays.
constexpr std::uint64_t kIdleBeforeForgottenMs = 60'000;
// Looking through all of them costs some 200 us, so that room is made for several at once.
constexpr std::size_t kForgottenAtOnce = 256;

}  // namespace

std::size_t CampaignRegistry::NameHash::operator()(const Name& name) const noexcept {
  return XXH3_64bits_withSeed(name.name.data(), name.name.size(),
                              XXH3_64bits(name.client.data(), name.client.size()));
}

CampaignRegistry::CampaignRegistry(const CampaignLedger& ledger, WeightOf weight_of)
    : ledger_(ledger), weight_of_(std::move(weight_of)) {
  for (CampaignLedger::Standing& standing : ledger.all()) {
    auto entry = std::make_unique<Entry>();
    entry->campaign = std::move(standing.campaign);
    next_ = std::max(next_, entry->campaign.flow + 1);
    add(std::move(entry));
  }
}

void CampaignRegistry::add(std::unique_ptr<Entry> entry) {
  by_flow_[entry->campaign.flow] = entry.get();
  const Name name{entry->campaign.client, entry->campaign.name};
  by_name_[name] = std::move(entry);
}

std::optional<queue::Flow> CampaignRegistry::number_of(std::string_view client,
                                                       std::string_view name, std::uint64_t now_ms,
                                                       CommitBatch& batch) {
  const auto found = by_name_.find(Name{client, name});
  if (found != by_name_.end()) {
    Entry& entry = *found->second;
    entry.used_ms = now_ms;
    if (!entry.is_recorded) change(Campaign(entry.campaign), OrderReach::later, batch);
    return entry.campaign.flow;
  }
  if (by_name_.size() >= kCampaignsMax && !make_room(now_ms, batch)) return std::nullopt;
  auto entry = std::make_unique<Entry>();
  entry->campaign.flow = next_++;
  entry->campaign.client = client;
  entry->campaign.name = name;
  entry->campaign.weight = weight_of_(client);
  entry->campaign.created_ms = now_ms;
  entry->campaign.changed_ms = now_ms;
  entry->used_ms = now_ms;
  const Campaign made = entry->campaign;
  add(std::move(entry));
  change(made, OrderReach::later, batch);
  return made.flow;
}

const Campaign* CampaignRegistry::find(std::string_view client, std::string_view name) const {
  const auto found = by_name_.find(Name{client, name});
  return found == by_name_.end() ? nullptr : &found->second->campaign;
}

std::vector<const Campaign*> CampaignRegistry::named(std::string_view name) const {
  std::vector<const Campaign*> found;
  for (const auto& [known, entry] : by_name_) {
    if (known.name == name) found.push_back(&entry->campaign);
  }
  return found;
}

void CampaignRegistry::change(const Campaign& changed, OrderReach reach, CommitBatch& batch) {
  Entry& entry = *by_flow_.at(changed.flow);
  assert(changed.name == entry.campaign.name && changed.client == entry.campaign.client);
  // Only what may change: the map's keys view the names.
  entry.campaign.changed_ms = changed.changed_ms;
  entry.campaign.is_paused = changed.is_paused;
  entry.campaign.weight = changed.weight;
  entry.campaign.rate = changed.rate;
  entry.campaign.moved_to = changed.moved_to;
  entry.is_recorded = true;
  fields_.clear();
  encode(entry.campaign, reach, fields_);
  CampaignChange change;
  change.campaign = entry.campaign;
  change.reach = reach;
  change.record_offset =
      batch.records.add(static_cast<std::uint8_t>(RecordKind::campaign_set), fields_.octets());
  batch.campaigns.push_back(std::move(change));
}

void CampaignRegistry::on_failed(const CommitBatch& batch) {
  for (const CampaignChange& change : batch.campaigns) {
    const auto found = by_flow_.find(change.campaign.flow);
    if (found == by_flow_.end()) continue;
    Entry& entry = *found->second;
    if (const auto durable = ledger_.find(change.campaign.flow)) {
      entry.campaign.changed_ms = durable->campaign.changed_ms;
      entry.campaign.is_paused = durable->campaign.is_paused;
      entry.campaign.weight = durable->campaign.weight;
      entry.campaign.rate = durable->campaign.rate;
      entry.campaign.moved_to = durable->campaign.moved_to;
    } else {
      entry.is_recorded = false;  // its next message brings the record again
    }
  }
}

bool CampaignRegistry::make_room(std::uint64_t now_ms, CommitBatch& batch) {
  std::vector<Entry*> ended;
  for (const CampaignLedger::Standing& standing : ledger_.all()) {
    const auto found = by_flow_.find(standing.campaign.flow);
    if (found == by_flow_.end() || standing.counts.live() > 0) continue;
    Entry& entry = *found->second;
    if (!entry.campaign.is_paused && entry.used_ms + kIdleBeforeForgottenMs < now_ms) {
      ended.push_back(&entry);
    }
  }
  const std::size_t count = std::min(kForgottenAtOnce, ended.size());
  std::ranges::partial_sort(
      ended, ended.begin() + static_cast<std::ptrdiff_t>(count), {},
      [](const Entry* entry) { return std::max(entry->used_ms, entry->campaign.changed_ms); });
  for (std::size_t i = 0; i < count; ++i) {
    fields_.clear();
    encode_forgotten(ended[i]->campaign.flow, fields_);
    batch.records.add(static_cast<std::uint8_t>(RecordKind::campaign_forgotten), fields_.octets());
    CampaignChange change;
    change.campaign.flow = ended[i]->campaign.flow;
    change.campaign.weight = ended[i]->campaign.weight;
    change.is_forgotten = true;
    batch.campaigns.push_back(std::move(change));
    by_flow_.erase(ended[i]->campaign.flow);
    const Name name{ended[i]->campaign.client, ended[i]->campaign.name};
    by_name_.erase(by_name_.find(name));
  }
  return count > 0;
}

}  // namespace stentor::daemon
