// Whose a message from a handset is: the most exact rule of the configuration decides.
//
// Number and keyword before number, number before keyword, keyword before neither. Without a rule
// that fits it belongs to the only client there is, else to nobody: then who may observe sees it.
//
// Owns     The rules, their keywords in normal form.
// Threads  Read-only: any thread.
// Spec     docs/configuration.md, [[inbound]]
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"

namespace stentor::daemon {

class InboundRouter {
 public:
  explicit InboundRouter(const Config& config);

  /// `to` in kept form, `word` as first_word() has it. Empty: nobody's.
  [[nodiscard]] std::string_view client_for(std::string_view to, std::string_view word) const;

 private:
  std::vector<InboundRule> rules_;
  std::string only_client_;  ///< empty where there are several, or none
};

}  // namespace stentor::daemon
