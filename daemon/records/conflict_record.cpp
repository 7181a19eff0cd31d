#include "daemon/records/conflict_record.h"

namespace stentor::daemon {

void encode(const Conflict& conflict, FieldWriter& out) {
  encode(Verdict{.of = conflict.of, .code = conflict.code, .detail = conflict.detail}, out);
  out.u8(conflict.part);
  out.text(conflict.message_id);
  out.text(conflict.done_date);
  out.u8(conflict.by_reference ? 1 : 0);
}

std::optional<Conflict> decode_conflict(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Conflict conflict;
  conflict.of = decode_following(in);
  conflict.code = in.text();
  conflict.detail = in.text();
  if (!in.is_at_end()) {
    conflict.part = in.u8();
    conflict.message_id = in.text();
    conflict.done_date = in.text();
    conflict.by_reference = in.u8() != 0;
  }
  if (!in.is_good()) return std::nullopt;
  return conflict;
}

}  // namespace stentor::daemon
