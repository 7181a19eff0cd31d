#include "daemon/events/opt_out_lines.h"

#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"
#include "daemon/records/opt_out_records.h"

namespace stentor::daemon {
namespace {

void append_change(const OptOutChange& change, std::string& out) {
  if (change.inbound != MessageId{}) {
    const auto id = change.inbound.text();
    append_member("id", {id.data(), id.size()}, out);
  }
  if (!change.client.empty()) append_member("client", change.client, out);
  if (!change.sender.empty()) append_member("to", change.sender, out);
  append_member("from", change.numbers.front(), out);
  append_member("type", "opt_out", out);
  if (!change.carrier.empty()) append_member("carrier", change.carrier, out);
  append_time("time", change.time_ms, out);
  append_member("code", change.is_out ? "stop" : "start", out);
  append_member("detail", change.word.empty() ? name_of(change.by) : change.word, out);
}

}  // namespace

RecordEvents opt_out_events_of(const queue::Record& record) {
  RecordEvents events;
  const auto change = decode_opt_out(record.payload);
  if (!change || change->numbers.size() != 1) return events;
  Subject subject;
  subject.id = change->inbound;
  subject.client = change->client;
  subject.to = change->sender;
  subject.from = change->numbers.front();
  events.subject = subject;
  events.types[events.count++] = "opt_out";
  return events;
}

void append_opt_out_event(const queue::Record& record, std::string_view cursor, std::string& out) {
  const auto change = decode_opt_out(record.payload);
  out.push_back('{');
  append_member("cursor", cursor, out);
  if (change) append_change(*change, out);
  out.push_back('}');
}

}  // namespace stentor::daemon
