// Messages that were cancelled one by one while their tickets wait somewhere: whoever comes upon
// such a ticket drops it, and digs the message up.
//
// Owns     What noted_messages.h says, for each whose ticket has not turned up yet.
// Threads  As there.
#pragma once

#include "daemon/delivery/noted_messages.h"

namespace stentor::daemon {

class BuriedMessages final : public NotedMessages {
 public:
  /// 16 MB at most. Who cancels more at once cancels a campaign.
  static constexpr std::size_t kMessagesMax = 1'000'000;

  BuriedMessages() : NotedMessages(kMessagesMax) {}

  [[nodiscard]] bool bury(queue::Locator at) { return add(at) != Added::full; }
  void unbury(queue::Locator at) { remove(at); }
};

}  // namespace stentor::daemon
