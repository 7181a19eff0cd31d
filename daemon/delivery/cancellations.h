// Which waiting tickets of a carrier are dead: their message was cancelled, the ticket is still
// somewhere in a lane or on a timer.
//
// A campaign is cancelled up to a place in the journal: one comparison tells, whatever waits. A
// single message is named by its own place until its ticket turns up.
//
// Units    Messages.
// Owns     A place for each campaign ever cancelled here, and for each message whose ticket has not
//          turned up yet.
// Errors   Full is an ordinary "no".
// Threads  The shard's thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>

#include "queue/locator.h"
#include "queue/ticket.h"

namespace stentor::daemon {

class Cancellations {
 public:
  /// Single messages cancelled while their tickets wait: 16 MB at most. More at once is a campaign.
  static constexpr std::size_t kMessagesMax = 1'000'000;

  void cancel_before(queue::Flow flow, queue::Locator place) {
    if (!place.is_nowhere()) flows_[flow] = place;
  }
  /// True when the message was cancelled with its campaign.
  [[nodiscard]] bool covers(queue::Flow flow, queue::Locator at) const noexcept {
    if (flows_.empty()) return false;
    const auto found = flows_.find(flow);
    return found != flows_.end() && at < found->second;
  }

  /// The message has its verdict already: its ticket is to be dropped. False when full.
  [[nodiscard]] bool bury(queue::Locator at) {
    if (buried_.size() >= kMessagesMax) return false;
    buried_.insert(at.bits());
    return true;
  }
  void unbury(queue::Locator at) { buried_.erase(at.bits()); }
  /// True when the ticket that turned up is one of those; it is forgotten then.
  [[nodiscard]] bool take_buried(queue::Locator at) {
    return !buried_.empty() && buried_.erase(at.bits()) > 0;
  }
  [[nodiscard]] bool is_buried(queue::Locator at) const noexcept {
    return !buried_.empty() && buried_.contains(at.bits());
  }
  [[nodiscard]] std::size_t buried() const noexcept { return buried_.size(); }

 private:
  boost::unordered_flat_map<queue::Flow, queue::Locator> flows_;
  boost::unordered_flat_set<std::uint64_t> buried_;
};

}  // namespace stentor::daemon
