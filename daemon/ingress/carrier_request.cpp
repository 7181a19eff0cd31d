#include "daemon/ingress/carrier_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "protocol/message_id_learner.h"

namespace stentor::daemon {
namespace {

using Action = CarrierRequest::Action;

constexpr std::pair<std::string_view, Action> kCarrierActions[] = {
    {"list", Action::list},       {"show", Action::show},     {"suspend", Action::suspend},
    {"resume", Action::resume},   {"cancel", Action::cancel}, {"trace", Action::trace},
    {"orphans", Action::orphans}, {"doubts", Action::doubts}};

// A connection waits for it, and its lines wait in memory.
constexpr std::uint64_t kTraceSecondsMax = 300;
constexpr std::uint64_t kTraceLinesMax = 10'000;

constexpr protocol::MessageIdRule kRules[] = {
    protocol::MessageIdRule::automatic, protocol::MessageIdRule::verbatim,
    protocol::MessageIdRule::decimal, protocol::MessageIdRule::hex};

std::expected<void, Refusal> read_rule(const RequestFields& fields, CarrierRequest& out) {
  if (!fields.has(Field::message_id)) return {};
  if (out.action != Action::orphans) {
    return fields.refuse("bad_field", "message_id: goes with orphans only");
  }
  std::string_view written;
  if (auto read = fields.read_text(Field::message_id, written, 16); !read) return read;
  const auto* rule = std::ranges::find(kRules, written, [](auto each) { return name_of(each); });
  if (rule == std::end(kRules)) {
    return fields.refuse("bad_field", "message_id: must be auto, verbatim, decimal or hex");
  }
  out.message_id = *rule;
  return {};
}

}  // namespace

std::expected<Request, Refusal> read_carrier_request(const RequestFields& fields) {
  static const FieldSet allowed = set_of(Field::op, Field::action, Field::name, Field::seconds,
                                         Field::lines, Field::clear, Field::message_id);
  std::string_view action = "list";
  std::string_view name;
  std::expected<void, Refusal> step = fields.allow_only(allowed);
  if (step) step = fields.read_text(Field::action, action, 16);
  if (step) step = fields.read_text(Field::name, name, 64);
  if (!step) return std::unexpected(std::move(step.error()));
  const auto* known =
      std::ranges::find(kCarrierActions, action, [](const auto& each) { return each.first; });
  if (known == std::end(kCarrierActions)) {
    return fields.refuse(
        "bad_field",
        "action: must be list, show, suspend, resume, cancel, orphans, doubts or trace");
  }
  if (known->second != Action::list && name.empty()) {
    return fields.refuse("bad_field", "name: which carrier?");
  }
  CarrierRequest out;
  out.action = known->second;
  out.name = name;
  if (auto read = read_rule(fields, out); !read) return std::unexpected(std::move(read.error()));
  if (out.action != Action::trace) {
    for (const Field of_trace : {Field::seconds, Field::lines, Field::clear}) {
      if (fields.has(of_trace)) {
        return fields.refuse("bad_field",
                             fmt::format("{}: goes with trace only", name_of(of_trace)));
      }
    }
    return out;
  }
  step = fields.read_whole(Field::seconds, out.seconds, 1, kTraceSecondsMax);
  if (step) step = fields.read_whole(Field::lines, out.lines, 1, kTraceLinesMax);
  if (step) step = fields.read_flag(Field::clear, out.clear);
  if (!step) return std::unexpected(std::move(step.error()));
  return out;
}

}  // namespace stentor::daemon
