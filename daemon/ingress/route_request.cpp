#include "daemon/ingress/route_request.h"

#include <utility>

namespace stentor::daemon {

std::expected<Request, Refusal> read_route_request(const RequestFields& fields) {
  static const FieldSet allowed =
      set_of(Field::op, Field::to, Field::from, Field::campaign, Field::carrier, Field::kind);
  RouteRequest out;
  std::string_view kind;
  std::expected<void, Refusal> step = fields.allow_only(allowed);
  if (step) step = fields.read_text(Field::to, out.to, SIZE_MAX);
  if (step) step = fields.read_text(Field::from, out.from, SIZE_MAX);
  if (step) step = fields.read_text(Field::campaign, out.campaign, 64);
  if (step) step = fields.read_text(Field::carrier, out.carrier, 64);
  if (step) step = fields.read_text(Field::kind, kind, 16);
  if (!step) return std::unexpected(std::move(step.error()));
  if (out.to.empty()) return fields.refuse("bad_destination", "to: no number given");
  if (fields.has(Field::kind) && kind != "short") {
    return fields.refuse("bad_field", "kind: must be short");
  }
  out.is_short = kind == "short";
  return out;
}

}  // namespace stentor::daemon
