// Reads a `pause` or a `resume` of one message from its fields.
//
// Errors   Refusal with bad_field or unknown_field.
// Threads  A pure function; the result views what `fields` views.
// Spec     docs/protocol.md, "pause and resume"
#pragma once

#include <expected>

#include "daemon/ingress/request.h"
#include "daemon/ingress/request_fields.h"

namespace stentor::daemon {

[[nodiscard]] std::expected<PauseRequest, Refusal> read_pause_request(const RequestFields& fields,
                                                                      bool pauses);

}  // namespace stentor::daemon
