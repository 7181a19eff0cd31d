// One producer's records on their way to the disk, with what their durability means to others.
//
// Units    Octets and messages.
// Owns     The records' octets; shards keep them alive while tickets may still read them.
// Threads  The producer's until submitted, the commit thread's until durable, then read-only.
#pragma once

#include <cstdint>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "daemon/records/campaign_records.h"
#include "daemon/records/records.h"
#include "queue/locator.h"
#include "queue/record_batch.h"
#include "queue/ticket.h"

namespace stentor::daemon {

/// A message that a shard takes over once its record is durable.
struct Arrival {
  std::uint32_t record_offset = 0;  ///< within the batch: accepted, or moved
  std::uint32_t key = 0;
  std::uint64_t expires_ms = 0;
  std::uint64_t due_ms = 0;  ///< 0: now
  queue::Flow flow = 0;
  std::uint16_t carrier = 0;  ///< index in the configuration
  queue::Priority priority = queue::Priority::normal;
  queue::Locator at{};  ///< of its accepted record, where that is an older one: it has moved
};

/// Messages of one flow that became `state`; none: were accepted.
struct FlowChange {
  queue::Flow flow = 0;
  std::uint32_t messages = 0;
  State state = State::none;
  bool was_sent = false;
  State corrects = State::none;  ///< what they had been counted as
};

/// A campaign that was made, changed, cancelled or forgotten; its record lies at `record_offset`.
/// Of one that is forgotten: its number and its weight.
struct CampaignChange {
  Campaign campaign;
  std::uint32_t record_offset = 0;
  OrderReach reach = OrderReach::later;
  bool is_forgotten = false;
};

struct CommitBatch {
  queue::RecordBatch records;
  std::uint64_t number = 0;  ///< the producer's own, from 1
  Ledger delta;              ///< what these records add to the totals
  std::uint32_t accepted = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> finished;  ///< accept file → messages
  std::vector<FlowChange> flows;  ///< what these records add to the campaigns' counts
  std::vector<CampaignChange> campaigns;
  std::vector<std::vector<Arrival>> arrivals;  ///< by shard; of ingress and of moves
  bool has_events = false;                     ///< consumers of events have something to read
  std::error_code failure;                     ///< set when it did not become durable

  void count(queue::Flow flow, State state, bool was_sent) {
    if (flow == 0) return;  // of a record from before campaigns had numbers
    if (!flows.empty()) {
      FlowChange& last = flows.back();
      if (last.flow == flow && last.state == state && last.was_sent == was_sent &&
          last.corrects == State::none) {
        ++last.messages;
        return;
      }
    }
    flows.push_back({.flow = flow, .messages = 1, .state = state, .was_sent = was_sent});
  }

  /// A message that was final as `corrects` came to another state after all.
  void correct(queue::Flow flow, State state, State corrects) {
    if (flow == 0) return;
    flows.push_back(
        {.flow = flow, .messages = 1, .state = state, .was_sent = true, .corrects = corrects});
  }

  /// Notes that a message whose accepted record lies in `file` reached a final state.
  void finish(std::uint32_t file) {
    if (!finished.empty() && finished.back().first == file) {
      ++finished.back().second;
    } else {
      finished.emplace_back(file, 1);
    }
  }
};

}  // namespace stentor::daemon
