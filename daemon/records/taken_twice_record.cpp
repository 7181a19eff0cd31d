#include "daemon/records/taken_twice_record.h"

namespace stentor::daemon {

void encode(const TakenTwice& twice, FieldWriter& out) {
  encode(twice.of, out);
  out.u8(twice.part);
  out.text(twice.message_id);
  out.text(twice.other_message_id);
}

std::optional<TakenTwice> decode_taken_twice(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  TakenTwice twice;
  twice.of = decode_following(in);
  twice.part = in.u8();
  twice.message_id = in.text();
  twice.other_message_id = in.text();
  if (!in.is_good()) return std::nullopt;
  return twice;
}

}  // namespace stentor::daemon
