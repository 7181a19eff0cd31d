#include "daemon/records/carried_records.h"

namespace stentor::daemon {

void encode(const CarriedNow& carried, FieldWriter& out) {
  out.u32(carried.before);
  out.u64(carried.octets);
}

std::optional<CarriedNow> decode_carried(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  CarriedNow carried;
  carried.before = in.u32();
  carried.octets = in.u64();
  if (!in.is_good()) return std::nullopt;
  return carried;
}

}  // namespace stentor::daemon
