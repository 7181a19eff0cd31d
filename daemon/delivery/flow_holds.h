// Why a flow is held in its lanes: several reasons at once, released when the last is gone.
//
// Owns     A note of each flow that is held.
// Errors   None.
// Threads  One thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>

#include "queue/ticket.h"

namespace stentor::daemon {

enum class HoldReason : std::uint8_t {
  paused = 1,      ///< its owner paused it
  cancelling = 2,  ///< its cancelled tickets are being taken out
  moving = 4,      ///< its tickets are being taken to another carrier
  rate = 8,        ///< it has used what its campaign's rate gave it
  crowded = 16     ///< more of it would not fit beside those that wait for a limit
};

class FlowHolds {
 public:
  void set(queue::Flow flow, HoldReason reason, bool is_held) {
    const auto bit = static_cast<std::uint8_t>(reason);
    if (is_held) {
      reasons_[flow] |= bit;
      return;
    }
    const auto found = reasons_.find(flow);
    if (found == reasons_.end()) return;
    found->second = static_cast<std::uint8_t>(found->second & ~bit);
    if (found->second == 0) reasons_.erase(found);
  }
  [[nodiscard]] bool is_held(queue::Flow flow) const noexcept { return reasons_.contains(flow); }
  [[nodiscard]] bool is_held_for(queue::Flow flow, HoldReason reason) const noexcept {
    const auto found = reasons_.find(flow);
    return found != reasons_.end() && (found->second & static_cast<std::uint8_t>(reason)) != 0;
  }
  /// By its owner's word, or while it is cancelled or moved: nothing of it may go, wherever it
  /// waits. The other reasons hold what is in the lanes alone.
  [[nodiscard]] bool is_stopped(queue::Flow flow) const noexcept {
    return is_held_for(flow, HoldReason::paused) || is_held_for(flow, HoldReason::cancelling) ||
           is_held_for(flow, HoldReason::moving);
  }

 private:
  boost::unordered_flat_map<queue::Flow, std::uint8_t> reasons_;
};

}  // namespace stentor::daemon
