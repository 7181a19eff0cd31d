#include "daemon/audit/finding.h"

namespace stentor::daemon {

std::string_view name_of(AuditRule rule) noexcept {
  switch (rule) {
    case AuditRule::totals: return "totals";
    case AuditRule::lost: return "lost";
    case AuditRule::accepted_twice: return "accepted_twice";
    case AuditRule::never_accepted: return "never_accepted";
    case AuditRule::misplaced: return "misplaced";
    case AuditRule::final_twice: return "final_twice";
    case AuditRule::corrected_wrongly: return "corrected_wrongly";
    case AuditRule::sent_after_final: return "sent_after_final";
    case AuditRule::sent_without_intent: return "sent_without_intent";
    case AuditRule::sent_twice: return "sent_twice";
    case AuditRule::never_told_sent: return "never_told_sent";
    case AuditRule::parts: return "parts";
    case AuditRule::checkpoint_lacks: return "checkpoint_lacks";
    case AuditRule::checkpoint_keeps: return "checkpoint_keeps";
    case AuditRule::undecodable: return "undecodable";
  }
  return "unknown";
}

}  // namespace stentor::daemon
