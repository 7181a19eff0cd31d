// What upstream is told of messages from handsets.
//
// Units    Times are RFC 3339 with milliseconds.
// Errors   A record that does not decode has no events.
// Threads  Pure functions.
// Spec     docs/protocol.md, "events"
#pragma once

#include <string>
#include <string_view>

#include "daemon/events/event_lines.h"

namespace stentor::daemon {

/// True for records of inbound_records.h.
[[nodiscard]] bool is_inbound(const queue::Record& record) noexcept;

[[nodiscard]] RecordEvents inbound_events_of(const queue::Record& record);

/// Its one event, without its newline.
void append_inbound_event(const queue::Record& record, std::string_view cursor, std::string& out);

}  // namespace stentor::daemon
