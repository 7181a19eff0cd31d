// All campaigns as the journal has them: what was set, and exact counts of their messages.
//
// The counts move with the ledger's: each commit batch names the flows it changes, recovery counts
// the same records again, and every new journal file begins with a record for each campaign.
//
// Units    Milliseconds of Unix time; counts are messages; rates are messages a second.
// Owns     The campaigns.
// Errors   A flow that nobody registered is counted under its number until its name comes.
// Threads  restore calls run alone, at start. apply() and add_to() on the commit thread, the rest
//          on any: a lock that is taken once a batch, never for a message.
// Spec     docs/architecture.md, "Campaigns"
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/commit/commit_batch.h"
#include "daemon/records/campaign_records.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

class CampaignLedger {
 public:
  struct Standing {
    Campaign campaign;
    CampaignCounts counts;
    double sent_per_second = 0;  ///< over the last seconds
  };

  // Recovery.
  /// A record of kind campaign, campaign_set or campaign_forgotten; false when it does not decode.
  [[nodiscard]] bool restore(const queue::Record& record);
  /// The number of a message whose campaign has none yet: its own, or a new one where that is 0.
  [[nodiscard]] queue::Flow adopt(queue::Flow flow, std::string_view client, std::string_view name);
  void restore_count(queue::Flow flow, State state, bool was_sent);
  /// A message that had been counted as `corrects` came to `state` after all.
  void restore_correction(queue::Flow flow, State state, State corrects);

  /// What clients' messages without a campaign weigh is the configuration's word, not the
  /// journal's.
  void weigh_clients(const std::function<std::uint16_t(std::string_view client)>& weight_of);

  /// A batch became durable.
  void apply(const CommitBatch& batch);
  /// One record for each campaign, into the first block of a new journal file.
  void add_to(queue::RecordBatch& preamble) const;

  [[nodiscard]] std::optional<Standing> find(queue::Flow flow) const;
  /// In the order of their numbers.
  [[nodiscard]] std::vector<Standing> all() const;
  /// Renews the rates: call about once a second.
  void sample(std::chrono::steady_clock::time_point now);

 private:
  struct Entry {
    Standing standing;
    std::uint64_t sent_at_sample = 0;
  };
  [[nodiscard]] Entry& entry(queue::Flow flow);
  void restore(const CampaignTotals& totals);

  mutable std::mutex guard_;
  boost::unordered_flat_map<queue::Flow, std::unique_ptr<Entry>> entries_;
  queue::Flow highest_ = 0;
  std::chrono::steady_clock::time_point sampled_{};
};

}  // namespace stentor::daemon
