// What one carrier may pick of campaigns that have a rate: shares, dealt ten times a second.
//
// A campaign's rate is one for all its carriers, which live on several threads. Each gets a share
// for its backlog, spends it, and gives back what it did not use (campaigns/campaign_pacing.h).
//
// Units    Messages.
// Owns     A count for each campaign that has a rate.
// Errors   None.
// Threads  One thread; shares travel as plain values.
// Spec     docs/queue.md, "A campaign's rate"
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "queue/ticket.h"

namespace stentor::daemon {

/// So many messages of a flow at a carrier: dealt, or left over from the last deal, with how many
/// wait there.
struct FlowShare {
  queue::Flow flow = 0;
  std::uint16_t carrier = 0;
  std::uint64_t messages = 0;
  std::uint64_t waiting = 0;
};

class FlowShares {
 public:
  /// From now on `flow` goes by shares, or no longer. True when that is new.
  bool limit(queue::Flow flow, bool is_limited) {
    if (is_limited) return left_.try_emplace(flow, 0).second;
    return left_.erase(flow) > 0;
  }
  [[nodiscard]] bool is_empty() const noexcept { return left_.empty(); }
  [[nodiscard]] bool is_limited(queue::Flow flow) const noexcept { return left_.contains(flow); }
  /// Spends one. False when that was the last: hold the flow.
  [[nodiscard]] bool spend(queue::Flow flow) noexcept {
    const auto found = left_.find(flow);
    if (found == left_.end()) return true;
    if (found->second > 0) --found->second;
    return found->second > 0;
  }
  /// False when it is none of those that go by shares any more.
  [[nodiscard]] bool put(queue::Flow flow, std::uint64_t messages) noexcept {
    const auto found = left_.find(flow);
    if (found == left_.end()) return false;
    found->second += messages;
    return true;
  }
  /// Calls `see(flow, left)` for each, and leaves nothing.
  template <class See>
  void take_all(See&& see) {
    for (auto& [flow, left] : left_) {
      see(flow, left);
      left = 0;
    }
  }

 private:
  boost::unordered_flat_map<queue::Flow, std::uint64_t> left_;
};

}  // namespace stentor::daemon
