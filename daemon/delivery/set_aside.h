// Tickets of one carrier that were picked and are paused: they wait here until somebody lets them
// go, or they expire.
//
// Units    Messages; steps of time, as in tickets, passed in.
// Owns     The tickets, some 130 octets each: at most as many as may be paused (paused_messages.h).
// Errors   Not here is an ordinary "no".
// Threads  One thread.
// Spec     docs/protocol.md, "pause and resume"
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "queue/lanes.h"

namespace stentor::daemon {

class SetAside {
 public:
  using Pick = queue::Lanes::Pick;
  using Sink = queue::Lanes::Sink;

  void put(const Pick& pick);
  [[nodiscard]] std::optional<Pick> take(queue::Locator at);
  /// As Lanes have them: `sink` may not touch what is here. The first accepted come first.
  std::size_t take_flow(queue::Flow flow, std::size_t max, const Sink& sink);
  std::size_t take_all(std::size_t max, const Sink& sink);
  std::size_t take_expired(std::uint32_t now, std::size_t max, const Sink& sink);
  /// None expires before; nothing when none is here.
  [[nodiscard]] std::optional<std::uint32_t> earliest_expiry() const noexcept;

  [[nodiscard]] std::size_t waiting() const noexcept { return picks_.size(); }
  [[nodiscard]] std::size_t waiting(queue::Priority priority) const noexcept {
    return by_priority_[static_cast<std::size_t>(priority)];
  }
  [[nodiscard]] std::size_t waiting_of(queue::Flow flow) const noexcept;

 private:
  std::size_t take_if(std::size_t max, const std::function<bool(const Pick&)>& is_meant,
                      const Sink& sink);
  [[nodiscard]] Pick take_out(std::map<std::uint64_t, Pick>::iterator found);

  std::map<std::uint64_t, Pick> picks_;  // by place
  boost::unordered_flat_map<queue::Flow, std::size_t> by_flow_;
  std::array<std::size_t, queue::kPriorities> by_priority_{};
  std::set<std::pair<std::uint32_t, std::uint64_t>> by_expiry_;  // (step, place)
};

}  // namespace stentor::daemon
