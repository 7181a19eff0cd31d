// The daemon's one page of figures, as `status` answers it.
//
// Units    Messages, segments or octets as the name says; counts since the daemon's first start,
//          levels at the moment of the answer.
// Owns     Its texts, as they came: print them through printable().
// Errors   What an older daemon leaves out is 0 or empty.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/ctl/json_value.h"

namespace stentor::ctl {

struct CarrierStatus {
  std::string name;
  std::string state;
  std::int64_t binds = 0;   ///< wanted
  std::int64_t bound = 0;   ///< had
  std::int64_t window = 0;  ///< of each bind
  std::int64_t in_flight = 0;
  std::int64_t waiting = 0;
  std::int64_t waiting_urgent = 0;
  std::int64_t waiting_normal = 0;
  std::int64_t waiting_bulk = 0;
  double oldest_seconds = 0;
  std::int64_t rate = 0;          ///< segments a second as configured; 0: no limit
  std::int64_t rate_current = 0;  ///< what throttling has left of it; 0: all
  std::int64_t outstanding = 0;   ///< segments whose receipt is due
  std::int64_t submitted = 0;
  std::int64_t segments_sent = 0;
  std::int64_t delivered = 0;
  std::int64_t failed = 0;
  std::int64_t throttled = 0;
  std::int64_t retries = 0;
  std::int64_t unmatched_receipts = 0;
  std::string limited_by;  ///< what holds it back: rate, window, limit, …
  std::string limit;       ///< which limit of a sender or prefix holds most
  std::string last_error;
};

struct Status {
  std::string version;
  double uptime_seconds = 0;
  std::int64_t accepted = 0;
  std::int64_t duplicates = 0;  ///< requests answered so; not messages
  std::int64_t sent = 0;
  std::int64_t delivered = 0;
  std::int64_t failed = 0;
  std::int64_t expired = 0;
  std::int64_t cancelled = 0;
  std::int64_t unknown = 0;
  std::int64_t sent_final = 0;
  std::int64_t live = 0;
  std::int64_t waiting = 0;
  std::int64_t commits = 0;
  std::int64_t journal_octets = 0;
  std::int64_t journal_files = 0;
  std::int64_t journal_octets_on_disk = 0;
  std::int64_t free_octets = 0;  ///< on the journal's disk
  std::int64_t clients = 0;
  std::int64_t memory_octets = 0;
  std::vector<CarrierStatus> carriers;

  [[nodiscard]] double oldest_seconds() const;
};

[[nodiscard]] Status status_from(const JsonValue& reply);

}  // namespace stentor::ctl
