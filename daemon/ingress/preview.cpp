#include "daemon/ingress/preview.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/delivery/coding.h"
#include "daemon/ingress/json.h"
#include "daemon/ingress/number.h"
#include "encoding/forcing.h"
#include "encoding/grapheme.h"

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

// What forced the text out of the cheapest alphabet, and what it would cost without.
void append_forced_by(const Content& content, const CarrierConfig& carrier,
                      const encoding::ForcedBy& forced_by, std::string& reply) {
  append_key("forced_by", reply);
  reply.push_back('{');
  std::string character;
  append_utf8(forced_by.code_point, character);
  append_member("char", character, reply);
  append_member("code_point",
                fmt::format("U+{:04X}", static_cast<std::uint32_t>(forced_by.code_point)), reply);
  append_member("index", forced_by.index, reply);
  if (const auto options = plan_options(content, carrier, 255)) {
    if (const auto without = encoding::without_forcing(content.body, *options)) {
      append_member("characters", without->characters, reply);
      append_member("segments_without", without->segments, reply);
    }
  }
  reply.push_back('}');
}

}  // namespace

void append_replacements(const Content& content, const CarrierConfig& carrier,
                         const encoding::Plan& plan, std::string& out) {
  out.append("\"replaced\":[");
  for (const encoding::Replaced& replaced : plan.replacements) {
    open_object(out);
    append_member("offset", replaced.offset, out);
    append_member("from", replaced.from, out);
    append_member("to", replaced.to, out);
    out.push_back('}');
  }
  out.push_back(']');
  Content unchanged = content;
  unchanged.replacement = encoding::Replacement::none;
  if (const auto without = MessagePlan::make(unchanged, carrier, 255)) {
    append_member("saved", without->segments() - std::min(without->segments(), plan.segments), out);
  }
}

std::optional<Refusal> append_preview(const PreviewRequest& request, const Config& config,
                                      const Routing& routing, std::string& reply) {
  const auto number = carrier_for(request, config, routing);
  if (!number) return number.error();
  const CarrierConfig& carrier = config.carriers[*number];
  Content content;
  content.body = request.text;
  content.encoding = request.encoding;
  content.replacement = request.replacement.value_or(routing.default_replacement(request.to));
  content.national = request.national.value_or(carrier.national);
  const auto planned = MessagePlan::make(content, carrier, 255);
  if (!planned) return Refusal{planned.error().code, planned.error().detail, {}};

  const encoding::Plan& plan = *planned->text();
  const std::string_view sent = plan.replaced.empty() ? request.text : plan.replaced;
  reply.push_back('{');
  append_member("status", "ok", reply);
  append_member("encoding", planned->encoding_word(), reply);
  append_member("characters", encoding::count_characters(request.text), reply);
  append_member("segments", planned->segments(), reply);
  append_member("units", plan.units, reply);
  open_list("parts", reply);
  for (const encoding::Part& part : plan.parts) {
    if (reply.back() != '[') reply.push_back(',');
    append_json_string(sent.substr(part.begin, part.end - part.begin), reply);
  }
  reply.push_back(']');
  if (plan.forced_by) append_forced_by(content, carrier, *plan.forced_by, reply);
  if (plan.locking_shift != encoding::NationalLanguage::none) {
    append_member("locking_shift", encoding::code_of(plan.locking_shift), reply);
  }
  if (plan.single_shift != encoding::NationalLanguage::none) {
    append_member("single_shift", encoding::code_of(plan.single_shift), reply);
  }
  if (plan.cut_inside_cluster) reply.append(",\"cut_inside_character\":true");
  if (!plan.replacements.empty()) {
    reply.push_back(',');
    append_replacements(content, carrier, plan, reply);
  }
  reply.push_back('}');
  return std::nullopt;
}

}  // namespace stentor::daemon
