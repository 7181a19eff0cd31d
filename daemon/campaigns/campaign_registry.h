// Which number a campaign, or a client's messages without one, has: exact, never shared.
//
// Admission asks for each message. A number that is new is written into the same batch as its first
// message, so that recovery knows the name before the message.
//
// Units    Milliseconds of Unix time.
// Owns     The campaigns as they were last set, durable or not yet.
// Errors   No number is left when kCampaignsMax have messages under way: an ordinary "no".
// Threads  The ingress thread.
// Spec     docs/architecture.md, "Campaigns"
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/campaigns/campaign_ledger.h"
#include "daemon/commit/commit_batch.h"

namespace stentor::daemon {

class CampaignRegistry {
 public:
  /// All must fit the first block of a journal file beside what else stands there: with names of 64
  /// octets 2.3 of its 4 MiB. One whose messages are all final gives its place to a new one.
  static constexpr std::size_t kCampaignsMax = 10'000;

  /// What a client's new campaigns weigh.
  using WeightOf = std::function<std::uint16_t(std::string_view client)>;

  /// `ledger`: as recovery left it; it is asked later which campaigns have ended.
  CampaignRegistry(const CampaignLedger& ledger, WeightOf weight_of);

  /// The number of a message's campaign, a new one where it has none. Nothing when all are taken.
  [[nodiscard]] std::optional<queue::Flow> number_of(std::string_view client, std::string_view name,
                                                     std::uint64_t now_ms, CommitBatch& batch);
  [[nodiscard]] const Campaign* find(std::string_view client, std::string_view name) const;
  /// Every client's campaign of this name.
  [[nodiscard]] std::vector<const Campaign*> named(std::string_view name) const;

  /// Sets what `changed` says; its number must be known.
  void change(const Campaign& changed, OrderReach reach, CommitBatch& batch);

  /// A batch did not become durable: what it set is taken back.
  void on_failed(const CommitBatch& batch);
  [[nodiscard]] std::size_t size() const noexcept { return by_name_.size(); }

 private:
  struct Entry {
    Campaign campaign;
    std::uint64_t used_ms = 0;
    bool is_recorded = true;  ///< a record of it is on disk, or in a batch on its way there
  };
  struct Name {
    std::string_view client;
    std::string_view name;
    friend bool operator==(const Name&, const Name&) = default;
  };
  struct NameHash {
    std::size_t operator()(const Name& name) const noexcept;
  };
  [[nodiscard]] bool make_room(std::uint64_t now_ms, CommitBatch& batch);
  void add(std::unique_ptr<Entry> entry);

  const CampaignLedger& ledger_;
  const WeightOf weight_of_;
  boost::unordered_flat_map<Name, std::unique_ptr<Entry>, NameHash> by_name_;  // views its value
  boost::unordered_flat_map<queue::Flow, Entry*> by_flow_;
  queue::Flow next_ = 1;
  FieldWriter fields_;
};

}  // namespace stentor::daemon
