#include "daemon/ingress/pause_request.h"

namespace stentor::daemon {

std::expected<PauseRequest, Refusal> read_pause_request(const RequestFields& fields, bool pauses) {
  static const FieldSet allowed = set_of(Field::op, Field::id, Field::ref);
  PauseRequest out;
  out.pauses = pauses;
  auto step = fields.allow_only(allowed);
  if (step) step = fields.read_text(Field::id, out.id, 64);
  if (step) step = fields.read_text(Field::ref, out.ref, RequestFields::kRefOctetsMax);
  if (!step) return std::unexpected(std::move(step.error()));
  if (out.id.empty() == out.ref.empty()) {
    return fields.refuse("bad_field", "give either id or ref");
  }
  return out;
}

}  // namespace stentor::daemon
