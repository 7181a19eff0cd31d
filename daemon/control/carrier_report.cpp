#include "daemon/control/carrier_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

// A line of a log is shorter; a carrier's own words may be anything.
constexpr std::size_t kErrorOctetsMax = 256;

// Suspended, whatever its binds do; stuck where they stand and nothing moves; else up when all its
// binds are, partly up when some are.
std::string_view state_of(const CarrierSnapshot& carrier, std::size_t bound) {
  if (carrier.switched.suspended) return "suspended";
  if (bound > 0 && carrier.is_stuck) return "stuck";
  if (bound == carrier.links.size()) return "up";
  if (bound > 0) return "partly up";
  for (const LinkSnapshot& link : carrier.links) {
    if (link.state == LinkState::connecting || link.state == LinkState::binding) {
      return name_of(link.state);
    }
  }
  return "down";
}

std::string_view name_of(protocol::BindType type) {
  switch (type) {
    case protocol::BindType::transmitter: return "transmitter";
    case protocol::BindType::receiver: return "receiver";
    case protocol::BindType::transceiver: return "transceiver";
  }
  return {};
}

// Without the closing brace.
void append_figures(const CarrierSnapshot& carrier, std::string& out) {
  std::size_t bound = 0;
  std::size_t in_flight = 0;
  std::uint64_t alerts = 0;
  std::uint8_t peer_version = 0;
  std::string_view last_error;
  for (const LinkSnapshot& link : carrier.links) {
    if (link.state == LinkState::bound) ++bound;
    in_flight += link.in_flight;
    alerts += link.stats.alerts;
    if (link.peer_version != 0) peer_version = link.peer_version;
    if (!link.last_error.empty()) last_error = link.last_error;
  }
  const std::size_t lanes = carrier.waiting_urgent + carrier.waiting_normal + carrier.waiting_bulk;
  std::optional<std::uint32_t> oldest;
  for (const auto& since : carrier.oldest_since) {
    if (since && (!oldest || *since < *oldest)) oldest = since;
  }
  const auto now = static_cast<std::uint32_t>(wall_clock_ms() / 1000);
  append_member("name", carrier.name, out);
  append_member("state", state_of(carrier, bound), out);
  append_member("binds", carrier.links.size(), out);
  append_member("bound", bound, out);
  append_member("window", carrier.window, out);
  append_member("in_flight", in_flight, out);
  append_member("reserved", carrier.reserved, out);
  append_member("waiting", lanes + carrier.waiting_timers, out);
  append_member("waiting_urgent", carrier.waiting_urgent, out);
  append_member("waiting_normal", carrier.waiting_normal, out);
  append_member("waiting_bulk", carrier.waiting_bulk, out);
  append_member("waiting_timers", carrier.waiting_timers, out);
  append_member("waiting_held", carrier.waiting_held, out);
  append_member("waiting_spilled", carrier.waiting_spilled, out);
  append_member("oldest_seconds", oldest && *oldest < now ? now - *oldest : 0, out);
  append_member("rate", carrier.rate_configured, out);
  append_member("rate_current", carrier.rate_current, out);
  append_member("limited_by", carrier.limited_by, out);
  if (!carrier.limit_named.empty()) append_member("limit", carrier.limit_named, out);
  append_member("waiting_limits", carrier.waiting_limits, out);
  append_member("waiting_order", carrier.waiting_held_back, out);
  append_member("response_ms", carrier.response_ms, out);
  append_member("outstanding", carrier.outstanding, out);
  append_member("submitted", carrier.stats.submitted, out);
  append_member("segments_sent", carrier.stats.segments_accepted, out);
  append_member("segments_gsm7", carrier.stats.segments_gsm7, out);
  append_member("segments_ucs2", carrier.stats.segments_ucs2, out);
  append_member("segments_other", carrier.stats.segments_other, out);
  append_member("sent", carrier.stats.messages_sent, out);
  append_member("delivered", carrier.stats.messages_delivered, out);
  append_member("failed", carrier.stats.messages_failed, out);
  append_member("moved", carrier.stats.messages_moved, out);
  append_member("order_passed", carrier.stats.order_passed, out);
  append_member("throttled", carrier.stats.throttled, out);
  append_member("retries", carrier.stats.retries_messages, out);
  append_member("uncertain",
                carrier.stats.uncertain_crash + carrier.stats.uncertain_link_lost +
                    carrier.stats.uncertain_timeout + carrier.stats.uncertain_shutdown +
                    carrier.stats.uncertain_status,
                out);
  append_member("in_doubt", carrier.in_doubt, out);
  append_member("unmatched_receipts", carrier.stats.receipts_unmatched, out);
  append_member("message_id_rule", carrier.message_id_rule, out);
  append_member("queries", carrier.queries.asked, out);
  append_member("cancels", carrier.cancels.asked, out);
  append_member("alerts", alerts, out);
  if (peer_version != 0) append_member("peer_version", fmt::format("{:#04x}", peer_version), out);
  append_key("last_error", out);
  append_json_untrusted(last_error, kErrorOctetsMax, out);
}

// What somebody has to act on: all of it, and the gravest by itself.
void append_alarms(const CarrierSnapshot& carrier, std::string& out) {
  const std::pair<bool, std::string_view> known[] = {
      {std::ranges::any_of(carrier.links, &LinkSnapshot::credentials_refused),
       "credentials_refused"},
      {carrier.addresses_refused, "addresses_refused"},
      {carrier.encoding_refused, "encoding_refused"}};
  const auto* const gravest =
      std::ranges::find(known, true, [](const auto& alarm) { return alarm.first; });
  if (gravest == std::end(known)) return;
  append_member("alarm", gravest->second, out);
  open_list("alarms", out);
  for (const auto& [is_on, word] : known) {
    if (!is_on) continue;
    if (out.back() != '[') out.push_back(',');
    append_json_string(word, out);
  }
  out.push_back(']');
}

void append_bind(const LinkSnapshot& link, std::uint32_t window, std::string& out) {
  out.push_back('{');
  append_member("bind", link.number, out);
  append_member("type", name_of(link.type), out);
  append_member("state", name_of(link.state), out);
  if (link.state_since_ms != 0) {
    append_time("since", link.state_since_ms, out);
  }
  append_member("host", link.host, out);
  append_member("window", window, out);
  append_member("in_flight", link.in_flight, out);
  append_member("connects", link.stats.connects, out);
  append_member("losses", link.stats.losses, out);
  append_member("pdus_in", link.stats.pdus_in, out);
  append_member("pdus_out", link.stats.pdus_out, out);
  append_member("malformed", link.stats.malformed, out);
  append_member("unexpected_responses", link.stats.unexpected_responses, out);
  append_member("stuck", link.stats.stuck, out);
  if (link.certificate_end && *link.certificate_end > 0) {
    append_time("certificate_ends", static_cast<std::uint64_t>(*link.certificate_end) * 1000, out);
  }
  open_list("last_errors", out);
  for (const LinkError& error : link.errors) {
    open_object(out);
    append_time("time", error.time_ms, out);
    append_key("what", out);
    append_json_untrusted(error.what, kErrorOctetsMax, out);
    out.push_back('}');
  }
  out.append("]}");
}

}  // namespace

void append_carrier_line(const CarrierSnapshot& carrier, std::string& out) {
  out.push_back('{');
  append_figures(carrier, out);
  out.push_back('}');
}

std::string carrier_shown(const CarrierSnapshot& carrier) {
  std::string out = R"({"status":"ok")";
  append_figures(carrier, out);
  if (carrier.switched.time_ms != 0) {
    const bool suspended = carrier.switched.suspended;
    append_member(suspended ? "suspended_by" : "resumed_by", carrier.switched.client, out);
    append_time(suspended ? "suspended_since" : "resumed_since", carrier.switched.time_ms, out);
  }
  append_alarms(carrier, out);
  open_list("bind_list", out);
  for (const LinkSnapshot& link : carrier.links) {
    if (out.back() != '[') out.push_back(',');
    append_bind(link, carrier.window, out);
  }
  out.append("]}");
  return out;
}

}  // namespace stentor::daemon
