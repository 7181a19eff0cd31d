#include "daemon/ingress/opt_out_request.h"

namespace stentor::daemon {

std::expected<OptOutRequest, Refusal> read_opt_out(const RequestFields& fields) {
  static const FieldSet allowed =
      set_of(Field::op, Field::action, Field::to, Field::from, Field::cursor);
  OptOutRequest out;
  std::string_view action;
  std::expected<void, Refusal> step = fields.allow_only(allowed);
  if (step) step = fields.read_text(Field::action, action, 16);
  if (step) step = fields.read_text(Field::from, out.from, 64);
  if (step) step = fields.read_text(Field::cursor, out.cursor, 64);
  if (!step) return std::unexpected(std::move(step.error()));
  if (action == "list") {
    if (fields.has(Field::to)) return fields.refuse("bad_field", "to: does not go with list");
    out.action = OptOutRequest::Action::list;
    return out;
  }
  if (action != "add" && action != "remove") {
    return fields.refuse("bad_field", "action: must be add, remove or list");
  }
  out.action = action == "add" ? OptOutRequest::Action::add : OptOutRequest::Action::remove;
  const FieldValue& to = fields.value(Field::to);
  if (to.type == FieldValue::Type::text) {
    out.to.push_back(to.text);
  } else if (to.type == FieldValue::Type::list && to.is_string_list) {
    for (std::size_t i = to.list_begin; i < to.list_end; ++i) out.to.push_back(fields.listed(i));
  }
  if (out.to.empty()) return fields.refuse("bad_destination", "to: a number or a list of them");
  return out;
}

}  // namespace stentor::daemon
