// Whether a carrier has a place for the fields of SMPP that a message brings along.
//
// Errors   What has no place, as the local protocol words it: never dropped in silence.
// Threads  Pure functions.
// Spec     SMPP 3.4 section 4.7.1 (data_sm has no protocol_id); SMPP 3.3 has no optional parameters
#pragma once

#include <optional>
#include <string_view>

#include "daemon/config/config.h"

namespace stentor::daemon {

/// Nothing where all fits, else a literal. Of SendRequest's `smpp`, or of an accepted record.
template <typename Fields>
[[nodiscard]] std::optional<std::string_view> misfit_of(const Fields& fields,
                                                        const CarrierConfig& carrier) noexcept {
  if (fields.protocol_id && carrier.wire.by_data_sm) {
    return "protocol_id: the carrier takes data_sm, which has none";
  }
  if (!fields.tlvs.empty() && carrier.interface_version == kVersion33) {
    return "tlv: the carrier speaks SMPP 3.3, which has no optional parameters";
  }
  return std::nullopt;
}

}  // namespace stentor::daemon
