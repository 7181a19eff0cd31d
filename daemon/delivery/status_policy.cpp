#include "daemon/delivery/status_policy.h"

#include <algorithm>

namespace stentor::daemon {
namespace {

using protocol::Disposition;

struct ClassMeaning {
  Disposition disposition;
  std::string_view code;
};

ClassMeaning meaning_of(StatusClass of) noexcept {
  switch (of) {
    case StatusClass::throttle: return {Disposition::slow_down, "throttled"};
    case StatusClass::queue_full: return {Disposition::slow_down, "queue_full"};
    case StatusClass::temporary: return {Disposition::retry_later, "carrier_error"};
    case StatusClass::permanent: return {Disposition::give_up, "carrier_rejected"};
    case StatusClass::doubt: return {Disposition::retry_later, "unknown_acceptance"};
    case StatusClass::bind: return {Disposition::link_fault, "not_bound"};
  }
  return {Disposition::retry_later, "carrier_error"};
}

}  // namespace

StatusPolicy::StatusPolicy(const CarrierConfig& carrier) : overlays_(carrier.status) {}

StatusMeaning StatusPolicy::meaning_of(protocol::CommandStatus status) const noexcept {
  const auto value = static_cast<std::uint32_t>(status);
  const Disposition standard = protocol::disposition_of(status);
  if (value != 0 && !overlays_.empty()) {
    const auto found =
        std::ranges::lower_bound(overlays_, value, {}, &StatusOverlay::command_status);
    if (found != overlays_.end() && found->command_status == value) {
      const ClassMeaning overlaid = daemon::meaning_of(found->is);
      // The standard's word says more than the class's, where both mean the same.
      const bool keeps_word = found->is != StatusClass::doubt && overlaid.disposition == standard &&
                              !protocol::name_of(status).empty();
      return {.disposition = overlaid.disposition,
              .is_queue_full = found->is == StatusClass::queue_full,
              .is_doubtful = found->is == StatusClass::doubt,
              .is_known = true,
              .code = !found->code.empty() ? std::string_view(found->code)
                      : keeps_word         ? protocol::outcome_code_of(status)
                                           : overlaid.code};
    }
  }
  return {.disposition = standard,
          .is_queue_full = status == protocol::CommandStatus::message_queue_full,
          .is_known = !protocol::name_of(status).empty(),
          .code = protocol::outcome_code_of(status)};
}

}  // namespace stentor::daemon
