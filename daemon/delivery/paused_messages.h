// Messages that were paused one by one: whoever picks such a ticket puts it aside.
//
// Owns     What noted_messages.h says, for each that is paused and not final.
// Threads  As there.
// Spec     docs/protocol.md, "pause and resume"
#pragma once

#include "daemon/delivery/noted_messages.h"

namespace stentor::daemon {

class PausedMessages final : public NotedMessages {
 public:
  /// 2 MB of places, and 10 MB of tickets that were put aside. Who pauses more at once pauses a
  /// campaign, which costs nothing for each.
  static constexpr std::size_t kMessagesMax = 100'000;

  PausedMessages() : NotedMessages(kMessagesMax) {}

  [[nodiscard]] Added pause(queue::Locator at) { return add(at); }
  /// It goes on, or is final.
  void lift(queue::Locator at) { remove(at); }

  /// One order about a message at a time: false while another is on its way to the disk.
  [[nodiscard]] bool begin_order(queue::Locator at) {
    const std::lock_guard lock(ordering_);
    return ordered_.insert(at.bits()).second;
  }
  void end_order(queue::Locator at) {
    const std::lock_guard lock(ordering_);
    ordered_.erase(at.bits());
  }

 private:
  std::mutex ordering_;
  boost::unordered_flat_set<std::uint64_t> ordered_;  // as many as connections
};

}  // namespace stentor::daemon
