// An event of the daemon's stream, or a reply that says no, as one line for a person.
//
// Errors   What is missing is left out.
// Threads  Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "daemon/ctl/json_value.h"

namespace stentor::ctl {

/// "2026-01-05T10:00:00Z  delivered  ID  to +7...  by north".
[[nodiscard]] std::string event_shown(const JsonValue& event);

/// "bad_destination: too short" of a reply's error object.
[[nodiscard]] std::string error_shown(const JsonValue& reply);

/// No further event of the same message is due, unless a late receipt corrects it.
[[nodiscard]] bool is_final(std::string_view type);

}  // namespace stentor::ctl
