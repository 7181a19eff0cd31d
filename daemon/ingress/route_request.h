// Reads `route`: which way a message to a number would go, and why.
//
// Owns     Nothing: texts view the parser's memory.
// Errors   Refusal with bad_field or unknown_field.
// Threads  Pure functions.
// Spec     docs/protocol.md, "route"
#pragma once

#include <expected>

#include "daemon/ingress/request_fields.h"

namespace stentor::daemon {

[[nodiscard]] std::expected<Request, Refusal> read_route_request(const RequestFields& fields);

}  // namespace stentor::daemon
