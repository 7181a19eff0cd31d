#include "daemon/delivery/route_answer.h"

#include <fmt/format.h>

#include "daemon/delivery/addresses.h"
#include "daemon/ingress/json.h"
#include "daemon/ingress/number.h"

namespace stentor::daemon {
namespace {

Refusal refusal(std::string_view code, std::string detail) {
  return {code, std::move(detail), {}};
}

void append_address(std::string_view key, const WireAddress& address, std::string& out) {
  append_key(key, out);
  out.push_back('{');
  append_member("address", to_utf8(address.digits), out);
  append_member("ton", std::uint64_t{address.numbering.ton}, out);
  append_member("npi", std::uint64_t{address.numbering.npi}, out);
  if (!address.rewritten.empty()) append_member("rewritten", address.rewritten, out);
  out.push_back('}');
}

}  // namespace

std::expected<std::string, Refusal> route_answer(const RouteRequest& request, const Config& config,
                                                 const Routing& routing) {
  const auto to =
      request.is_short ? normalise_short_code(request.to) : normalise_destination(request.to);
  if (!to) return std::unexpected(refusal("bad_destination", fmt::format("to: {}", to.error())));
  std::string from;
  if (!request.from.empty()) {
    auto sender = normalise_sender(request.from);
    if (!sender) {
      return std::unexpected(refusal("bad_sender", fmt::format("from: {}", sender.error())));
    }
    from = std::move(*sender);
  }
  const RouteQuery query(*to, from, request.campaign);
  auto told = routing.explain(query);
  if (from.empty()) from = routing.default_from(query);

  std::string out = "{";
  append_member("status", "ok", out);
  append_member("to", *to, out);
  if (!from.empty()) append_member("from", from, out);
  if (!request.carrier.empty()) {  // it names its carrier: routes have no say
    const auto named = routing.carrier_named(request.carrier);
    if (!named) {
      return std::unexpected(refusal("unknown_carrier", "carrier: not in the configuration"));
    }
    told = Routing::Explanation{
        .route = 0,
        .why = "the request names its carrier",
        .is_shared = false,
        .candidates = {{.carrier = *named,
                        .weight = 1,
                        .health = routing.health(*named),
                        .is_chosen = true,
                        .reason = "named by the request: it waits there, whatever happens"}}};
  } else if (!told) {
    return std::unexpected(refusal("no_route", "to: no route leads there"));
  } else {
    append_member("route", std::uint64_t{told->route} + 1, out);  // as they stand in the file
  }
  append_member("why", told->why, out);
  for (const Routing::Candidate& candidate : told->candidates) {
    if (candidate.is_chosen) append_member("carrier", config.carriers[candidate.carrier].name, out);
  }
  open_list("candidates", out);
  for (const Routing::Candidate& candidate : told->candidates) {
    const CarrierConfig& carrier = config.carriers[candidate.carrier];
    open_object(out);
    append_member("carrier", carrier.name, out);
    if (told->is_shared) append_member("weight", std::uint64_t{candidate.weight}, out);
    append_member("health", name_of(candidate.health), out);
    append_key("chosen", out);
    out.append(candidate.is_chosen ? "true" : "false");
    append_member("reason", candidate.reason, out);
    append_address("destination", destination_on_wire(*to, request.is_short, carrier), out);
    if (!from.empty()) append_address("source", source_on_wire(from, carrier), out);
    out.push_back('}');
  }
  out.append("]}");
  return out;
}

}  // namespace stentor::daemon
