// Which campaigns' waiting tickets of a carrier are dead: cancelled up to a place in the journal,
// so that one comparison tells, whatever waits.
//
// Owns     A place for each campaign ever cancelled here.
// Threads  The shard's thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "queue/locator.h"
#include "queue/ticket.h"

namespace stentor::daemon {

class Cancellations {
 public:
  void cancel_before(queue::Flow flow, queue::Locator place) {
    if (!place.is_nowhere()) flows_[flow] = place;
  }
  [[nodiscard]] bool covers(queue::Flow flow, queue::Locator at) const noexcept {
    if (flows_.empty()) return false;
    const auto found = flows_.find(flow);
    return found != flows_.end() && at < found->second;
  }

 private:
  boost::unordered_flat_map<queue::Flow, queue::Locator> flows_;
};

}  // namespace stentor::daemon
