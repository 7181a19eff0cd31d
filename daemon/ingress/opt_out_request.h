// Reads an `optout` request.
//
// Errors   Refusal, as request_parser.h has it.
// Threads  Pure function.
// Spec     docs/protocol.md, "optout"
#pragma once

#include <expected>

#include "daemon/ingress/request_fields.h"

namespace stentor::daemon {

[[nodiscard]] std::expected<OptOutRequest, Refusal> read_opt_out(const RequestFields& fields);

}  // namespace stentor::daemon
