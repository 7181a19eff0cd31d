#include "daemon/events/inbound_lines.h"

#include <fmt/format.h>

#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"
#include "daemon/records/inbound_records.h"

namespace stentor::daemon {
namespace {

std::string hex_of(std::string_view octets) {
  std::string hex;
  hex.reserve(octets.size() * 2);
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    hex.push_back(kDigits[octet >> 4]);
    hex.push_back(kDigits[octet & 15]);
  }
  return hex;
}

void append_came(const InboundCame& came, std::string& out) {
  const auto id = came.id.text();
  append_member("id", {id.data(), id.size()}, out);
  if (!came.client.empty()) append_member("client", came.client, out);
  append_member("to", came.to, out);
  append_member("from", came.from, out);
  append_member("type", "inbound", out);
  append_member("carrier", came.carrier, out);
  append_time("time", came.time_ms, out);
  append_member("parts", came.parts, out);
  if (came.is_unmatched_stop) {
    append_member("code", "opt_out_unmatched", out);
    append_member("detail", "no send fits its numbers as the carrier writes them", out);
  } else if (came.parts_came < came.parts) {
    append_member("code", "incomplete", out);
    append_member("detail", fmt::format("{} of {} parts came", came.parts_came, came.parts), out);
  } else if (came.is_cut) {
    append_member("code", "cut", out);
    append_member("detail", "longer than a record; its end is not here", out);
  }
  if (came.is_binary) {
    append_member("binary", hex_of(came.text), out);
  } else {
    append_member("text", came.text, out);
  }
}

}  // namespace

bool is_inbound(const queue::Record& record) noexcept {
  switch (static_cast<InboundRecordKind>(record.kind)) {
    case InboundRecordKind::came:
    case InboundRecordKind::part: return true;
  }
  return false;
}

RecordEvents inbound_events_of(const queue::Record& record) {
  RecordEvents events;
  if (static_cast<InboundRecordKind>(record.kind) != InboundRecordKind::came) return events;
  const auto came = decode_inbound(record.payload);
  if (!came) return events;
  Subject subject;
  subject.id = came->id;
  subject.client = came->client;
  subject.to = came->to;
  subject.from = came->from;
  subject.carrier = came->carrier;
  events.subject = subject;
  events.types[events.count++] = "inbound";
  return events;
}

void append_inbound_event(const queue::Record& record, std::string_view cursor, std::string& out) {
  const auto came = decode_inbound(record.payload);
  out.push_back('{');
  append_member("cursor", cursor, out);
  if (came) append_came(*came, out);
  out.push_back('}');
}

}  // namespace stentor::daemon
