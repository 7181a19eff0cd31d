#include "daemon/ingress/preview.h"

#include <fmt/format.h>

#include "daemon/delivery/coding.h"
#include "daemon/ingress/json.h"
#include "daemon/ingress/number.h"

namespace stentor::daemon {
namespace {

void append_utf8(char32_t c, std::string& out) {
  const auto put = [&out](char32_t octet) { out.push_back(static_cast<char>(octet)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

Refusal refusal_of(const encoding::EncodingError& error) {
  const bool is_empty = error.fault == encoding::EncodingFault::empty_text;
  const bool is_long = error.fault == encoding::EncodingFault::too_many_segments;
  return {
      .code = is_empty  ? "empty_text"
              : is_long ? "too_many_segments"
                        : "bad_text",
      .detail = fmt::format("text: {} at octet {}", encoding::describe(error.fault), error.offset),
      .ref = {}};
}

// The carrier it would be counted for: the named one, the route's, or the default route's first.
std::expected<std::uint16_t, Refusal> carrier_for(const PreviewRequest& request,
                                                  const Config& config, const Routing& routing) {
  if (!request.carrier.empty()) {
    const auto named = routing.carrier_named(request.carrier);
    if (!named) {
      return std::unexpected(Refusal{"unknown_carrier", "carrier: not in the configuration", {}});
    }
    return *named;
  }
  if (!request.to.empty()) {
    const auto number = normalise_destination(request.to);
    if (!number) {
      return std::unexpected(Refusal{"bad_destination", fmt::format("to: {}", number.error()), {}});
    }
    const auto choice = routing.choose(*number);
    if (!choice) return std::unexpected(Refusal{"no_route", "to: no route leads there", {}});
    return choice->carrier;
  }
  if (const auto choice = routing.choose("")) return choice->carrier;
  if (config.carriers.empty()) {
    return std::unexpected(Refusal{"no_route", "no carrier is configured", {}});
  }
  return std::uint16_t{0};
}

}  // namespace

std::optional<Refusal> append_preview(const PreviewRequest& request, const Config& config,
                                      const Routing& routing, std::string& reply) {
  const auto carrier = carrier_for(request, config, routing);
  if (!carrier) return carrier.error();
  const auto plan =
      encoding::plan(request.text, plan_options(config.carriers[*carrier], request.encoding, 255));
  if (!plan) return refusal_of(plan.error());

  const std::string_view sent = plan->replaced.empty() ? request.text : plan->replaced;
  reply.push_back('{');
  append_member("status", "ok", reply);
  append_member("encoding", encoding_word(plan->alphabet), reply);
  append_member("characters", encoding::count_characters(request.text), reply);
  append_member("segments", plan->parts.size(), reply);
  append_member("units", plan->units, reply);
  append_key("parts", reply);
  reply.push_back('[');
  for (const encoding::Part& part : plan->parts) {
    if (reply.back() != '[') reply.push_back(',');
    append_json_string(sent.substr(part.begin, part.end - part.begin), reply);
  }
  reply.push_back(']');
  if (plan->forced_by) {
    append_key("forced_by", reply);
    reply.push_back('{');
    std::string character;
    append_utf8(plan->forced_by->code_point, character);
    append_member("char", character, reply);
    append_member("code_point",
                  fmt::format("U+{:04X}", static_cast<std::uint32_t>(plan->forced_by->code_point)),
                  reply);
    append_member("index", plan->forced_by->index, reply);
    reply.push_back('}');
  }
  reply.push_back('}');
  return std::nullopt;
}

}  // namespace stentor::daemon
