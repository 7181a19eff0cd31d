// What a carrier's command_status means for a segment: the standard's class, or the carrier's own.
//
// Owns     Nothing: words are literals or the configuration's, which must outlive it.
// Threads  Read-only after construction.
// Spec     docs/carriers.md, "Statuses"
#pragma once

#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "protocol/command_status.h"

namespace stentor::daemon {

struct StatusMeaning {
  StatusClass is = StatusClass::unknown;
  std::string_view code;  ///< the stable word for upstream
};

class StatusPolicy {
 public:
  explicit StatusPolicy(const CarrierConfig& carrier);

  /// Of a status that refuses: 0 is none.
  [[nodiscard]] StatusMeaning meaning_of(protocol::CommandStatus status) const noexcept;

 private:
  const std::vector<StatusOverlay>& overlays_;  // sorted by status
};

}  // namespace stentor::daemon
