#include "daemon/records/cancel_records.h"

namespace stentor::daemon {

void encode(const CancelAnswered& answered, FieldWriter& out) {
  encode(answered.of, out);
  out.u8(answered.part);
  out.u8(answered.is_answered ? 1 : 0);
  out.u32(answered.command_status);
  out.text(answered.message_id);
  out.text(answered.by);
}

std::optional<CancelAnswered> decode_cancel_answered(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  CancelAnswered answered;
  answered.of = decode_following(in);
  answered.part = in.u8();
  answered.is_answered = in.u8() != 0;
  answered.command_status = in.u32();
  answered.message_id = in.text();
  answered.by = in.text();
  if (!in.is_good()) return std::nullopt;
  return answered;
}

}  // namespace stentor::daemon
