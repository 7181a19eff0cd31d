// What upstream is told of people who want no more messages, or messages again.
//
// Units    Times are RFC 3339 with milliseconds.
// Errors   A record that does not decode has no events; nor has a change of many numbers at once,
//          which is an import and known to who made it.
// Threads  Pure functions.
// Spec     docs/protocol.md, "events"
#pragma once

#include <string>
#include <string_view>

#include "daemon/events/event_lines.h"

namespace stentor::daemon {

[[nodiscard]] RecordEvents opt_out_events_of(const queue::Record& record);

/// Its one event, without its newline.
void append_opt_out_event(const queue::Record& record, std::string_view cursor, std::string& out);

}  // namespace stentor::daemon
