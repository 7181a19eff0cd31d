#include "daemon/records/slowed_records.h"

namespace stentor::daemon {

void encode(const Slowed& slowed, FieldWriter& out) {
  encode(slowed.of, out);
  out.u32(slowed.command_status);
}

std::optional<Slowed> decode_slowed(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Slowed slowed;
  slowed.of = decode_following(in);
  slowed.command_status = in.u32();
  if (!in.is_good()) return std::nullopt;
  return slowed;
}

}  // namespace stentor::daemon
