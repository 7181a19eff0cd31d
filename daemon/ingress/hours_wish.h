// Reads the `hours` of a send: {"from":"09:00","to":"21:00","zone":"Europe/Samara"}.
//
// Errors   Refusal with bad_field.
// Threads  A pure function.
// Spec     docs/protocol.md, "send"
#pragma once

#include <expected>

#include "daemon/ingress/request.h"
#include "daemon/ingress/request_fields.h"

namespace stentor::daemon {

/// Nothing when there are none.
[[nodiscard]] std::expected<std::optional<HoursWish>, Refusal> read_hours(
    const RequestFields& fields);

}  // namespace stentor::daemon
