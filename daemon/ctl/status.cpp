#include "daemon/ctl/status.h"

#include <algorithm>

namespace stentor::ctl {
namespace {

CarrierStatus carrier_from(const JsonValue& reply) {
  CarrierStatus carrier;
  carrier.name = reply.text("name");
  carrier.state = reply.text("state");
  carrier.binds = reply.number("binds");
  carrier.bound = reply.number("bound");
  carrier.window = reply.number("window");
  carrier.in_flight = reply.number("in_flight");
  carrier.waiting = reply.number("waiting");
  carrier.waiting_urgent = reply.number("waiting_urgent");
  carrier.waiting_normal = reply.number("waiting_normal");
  carrier.waiting_bulk = reply.number("waiting_bulk");
  carrier.oldest_seconds = reply.fraction("oldest_seconds");
  carrier.rate = reply.number("rate");
  carrier.rate_current = reply.number("rate_current");
  carrier.outstanding = reply.number("outstanding");
  carrier.submitted = reply.number("submitted");
  carrier.segments_sent = reply.number("segments_sent");
  carrier.delivered = reply.number("delivered");
  carrier.failed = reply.number("failed");
  carrier.throttled = reply.number("throttled");
  carrier.retries = reply.number("retries");
  carrier.unmatched_receipts = reply.number("unmatched_receipts");
  carrier.limited_by = reply.text("limited_by");
  carrier.limit = reply.text("limit");
  carrier.last_error = reply.text("last_error");
  return carrier;
}

}  // namespace

double Status::oldest_seconds() const {
  double oldest = 0;
  for (const CarrierStatus& carrier : carriers) oldest = std::max(oldest, carrier.oldest_seconds);
  return oldest;
}

Status status_from(const JsonValue& reply) {
  const JsonValue& journal = reply.object("journal");
  Status status;
  status.version = reply.text("version");
  status.uptime_seconds = reply.fraction("uptime");
  status.accepted = reply.number("accepted");
  status.duplicates = reply.number("duplicates");
  status.sent = reply.number("sent");
  status.delivered = reply.number("delivered");
  status.failed = reply.number("failed");
  status.expired = reply.number("expired");
  status.cancelled = reply.number("cancelled");
  status.unknown = reply.number("unknown");
  status.sent_final = reply.number("sent_final");
  status.live = reply.number("live");
  status.waiting = reply.number("waiting");
  status.commits = journal.number("commits");
  status.journal_octets = journal.number("octets");
  status.journal_files = journal.number("files");
  status.journal_octets_on_disk = journal.number("octets_on_disk");
  status.free_octets = journal.number("free_octets");
  status.clients = reply.number("clients");
  status.memory_octets = reply.number("memory_octets");
  for (const JsonValue& carrier : reply.array("carriers")) {
    status.carriers.push_back(carrier_from(carrier));
  }
  return status;
}

}  // namespace stentor::ctl
