#include "daemon/ingress/carrier_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace stentor::daemon {
namespace {

using Action = CarrierRequest::Action;

constexpr std::pair<std::string_view, Action> kActions[] = {{"list", Action::list},
                                                            {"show", Action::show},
                                                            {"suspend", Action::suspend},
                                                            {"resume", Action::resume}};

}  // namespace

std::expected<Request, Refusal> read_carrier_request(const RequestFields& fields) {
  static const FieldSet allowed = set_of(Field::op, Field::action, Field::name);
  std::string_view action = "list";
  std::string_view name;
  std::expected<void, Refusal> step = fields.allow_only(allowed);
  if (step) step = fields.read_text(Field::action, action, 16);
  if (step) step = fields.read_text(Field::name, name, 64);
  if (!step) return std::unexpected(std::move(step.error()));
  for (const std::string_view later : {"orphans", "trace"}) {
    if (action == later) {
      return fields.refuse("not_supported", fmt::format("carrier {} {}", later, kNotYet));
    }
  }
  const auto* known =
      std::ranges::find(kActions, action, [](const auto& each) { return each.first; });
  if (known == std::end(kActions)) {
    return fields.refuse("bad_field",
                         "action: must be list, show, suspend, resume, orphans or trace");
  }
  if (known->second != Action::list && name.empty()) {
    return fields.refuse("bad_field", "name: which carrier?");
  }
  return CarrierRequest{.action = known->second, .name = std::string(name)};
}

}  // namespace stentor::daemon
