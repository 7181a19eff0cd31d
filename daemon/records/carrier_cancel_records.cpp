#include "daemon/records/carrier_cancel_records.h"

namespace stentor::daemon {

void encode(const CarrierCancelled& cancelled, FieldWriter& out) {
  out.text(cancelled.carrier);
  out.u64(cancelled.time_ms);
  out.text(cancelled.client);
}

std::optional<CarrierCancelled> decode_carrier_cancelled(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  CarrierCancelled cancelled;
  cancelled.carrier = in.text();
  cancelled.time_ms = in.u64();
  cancelled.client = in.text();
  if (!in.is_good()) return std::nullopt;
  return cancelled;
}

}  // namespace stentor::daemon
