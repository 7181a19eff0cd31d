#include "daemon/ingress/resolve_request.h"

namespace stentor::daemon {

std::expected<ResolveRequest, Refusal> read_resolve_request(const RequestFields& fields) {
  static const FieldSet allowed = set_of(Field::op, Field::id, Field::ref, Field::as);
  ResolveRequest out;
  std::string_view as;
  auto step = fields.allow_only(allowed);
  if (step) step = fields.read_text(Field::id, out.id, 64);
  if (step) step = fields.read_text(Field::ref, out.ref, RequestFields::kRefOctetsMax);
  if (step) step = fields.read_text(Field::as, as, 16);
  if (!step) return std::unexpected(std::move(step.error()));
  if (out.id.empty() == out.ref.empty()) {
    return fields.refuse("bad_field", "give either id or ref");
  }
  if (as == "sent") {
    out.as = DoubtEnd::said_sent;
  } else if (as == "unsent") {
    out.as = DoubtEnd::said_unsent;
  } else if (as == "abandon") {
    out.as = DoubtEnd::abandoned;
  } else {
    return fields.refuse("bad_field", "as: must be sent, unsent or abandon");
  }
  return out;
}

}  // namespace stentor::daemon
