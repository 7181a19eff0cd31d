#include "daemon/records/pause_records.h"

namespace stentor::daemon {

void encode(const Paused& paused, FieldWriter& out) {
  encode(paused.of, out);
  out.u8(paused.is_paused ? 1 : 0);
  out.text(paused.by);
}

std::optional<Paused> decode_paused(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Paused paused;
  paused.of = decode_following(in);
  paused.is_paused = in.u8() != 0;
  paused.by = in.text();
  if (!in.is_good()) return std::nullopt;
  return paused;
}

}  // namespace stentor::daemon
