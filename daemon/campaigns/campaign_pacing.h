// Deals what campaigns with a rate may send to the carriers where their messages wait.
//
// Each round, ten times a second, every carrier says how many of a campaign wait there and how much
// of its last share it did not use; that comes back. What the rate has earned since is dealt by
// backlog. What is earned is kept for a fifth of a second at most, so that no sliding second sees
// more than the rate and that fifth.
//
// Units    Messages; rates are messages a second. Time is steady_clock, passed in.
// Owns     A few counts for each campaign that has a rate.
// Errors   None.
// Threads  One thread.
// Spec     docs/queue.md, "A campaign's rate"
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "daemon/delivery/flow_shares.h"

namespace stentor::daemon {

class CampaignPacing {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Zero: no rate any more.
  void set_rate(queue::Flow flow, std::uint32_t rate);
  [[nodiscard]] bool is_idle() const noexcept { return paces_.empty(); }
  /// What each carrier gets. `found`: what each has, and had left.
  [[nodiscard]] std::vector<FlowShare> deal(std::span<const FlowShare> found, TimePoint now);
  /// Forgets those of which `is_known` says no.
  void keep(const std::function<bool(queue::Flow)>& is_known);

 private:
  struct Pace {
    std::uint32_t rate = 0;
    double earned = 0;
    std::uint32_t turn = 0;  ///< at whom the odd ones begin
    TimePoint earned_at{};
  };
  static void deal_one(Pace& pace, std::span<const FlowShare> found, std::vector<FlowShare>& dealt);

  boost::unordered_flat_map<queue::Flow, Pace> paces_;
};

}  // namespace stentor::daemon
