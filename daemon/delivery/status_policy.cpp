#include "daemon/delivery/status_policy.h"

#include <algorithm>

#include "daemon/records/own_outcomes.h"

namespace stentor::daemon {
namespace {

using protocol::CommandStatus;
using protocol::Disposition;

StatusClass standard_class(CommandStatus status) noexcept {
  switch (protocol::disposition_of(status)) {
    case Disposition::slow_down:
      return status == CommandStatus::message_queue_full ? StatusClass::queue_full
                                                         : StatusClass::throttle;
    case Disposition::retry_later: return StatusClass::temporary;
    case Disposition::accepted:  // not asked for
    case Disposition::retry_few: return StatusClass::unknown;
    case Disposition::link_fault: return StatusClass::bind;
    case Disposition::give_up: return StatusClass::permanent;
  }
  return StatusClass::unknown;
}

std::string_view code_of(StatusClass is) noexcept {
  switch (is) {
    case StatusClass::throttle: return "throttled";
    case StatusClass::queue_full: return "queue_full";
    case StatusClass::temporary:
    case StatusClass::unknown: return "carrier_error";
    case StatusClass::permanent: return "carrier_rejected";
    case StatusClass::doubt: return own_outcome::kUnknownAcceptance;
    case StatusClass::bind: return "not_bound";
  }
  return "carrier_error";
}

// The standard's word says more than the class's, where both mean much the same.
bool is_alike(StatusClass one, StatusClass other) noexcept {
  const auto like = [](StatusClass is) {
    if (is == StatusClass::queue_full) return StatusClass::throttle;
    return is == StatusClass::unknown ? StatusClass::temporary : is;
  };
  return like(one) == like(other);
}

}  // namespace

StatusPolicy::StatusPolicy(const CarrierConfig& carrier) : overlays_(carrier.status) {}

StatusMeaning StatusPolicy::meaning_of(CommandStatus status) const noexcept {
  const auto value = static_cast<std::uint32_t>(status);
  const StatusClass standard = standard_class(status);
  const auto found = std::ranges::lower_bound(overlays_, value, {}, &StatusOverlay::command_status);
  if (found == overlays_.end() || found->command_status != value) {
    return {.is = standard, .code = protocol::outcome_code_of(status)};
  }
  if (!found->code.empty()) return {.is = found->is, .code = found->code};
  const bool keeps_word = is_alike(found->is, standard) && !protocol::name_of(status).empty();
  return {.is = found->is,
          .code = keeps_word ? protocol::outcome_code_of(status) : code_of(found->is)};
}

}  // namespace stentor::daemon
