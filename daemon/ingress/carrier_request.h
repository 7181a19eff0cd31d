// Reads `carrier`: a look at the binds of a carrier, or a change to what it does.
//
// Owns     The request's texts.
// Errors   Refusal with bad_field, unknown_field or not_supported.
// Threads  Pure functions.
// Spec     docs/protocol.md, "carrier"
#pragma once

#include <expected>

#include "daemon/ingress/request_fields.h"

namespace stentor::daemon {

[[nodiscard]] std::expected<Request, Refusal> read_carrier_request(const RequestFields& fields);

}  // namespace stentor::daemon
