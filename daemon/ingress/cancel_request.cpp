#include "daemon/ingress/cancel_request.h"

namespace stentor::daemon {

std::expected<CancelRequest, Refusal> read_cancel_request(const RequestFields& fields) {
  static const FieldSet allowed = set_of(Field::op, Field::id, Field::ref, Field::at_carrier);
  CancelRequest out;
  auto step = fields.allow_only(allowed);
  if (step) step = fields.read_text(Field::id, out.id, 64);
  if (step) step = fields.read_text(Field::ref, out.ref, RequestFields::kRefOctetsMax);
  if (step) step = fields.read_flag(Field::at_carrier, out.at_carrier);
  if (!step) return std::unexpected(std::move(step.error()));
  if (out.id.empty() == out.ref.empty()) {
    return fields.refuse("bad_field", "give either id or ref");
  }
  return out;
}

}  // namespace stentor::daemon
