// Answers `route`: the route that matched, each of its carriers with what speaks for or against it,
// and how the addresses would be written there.
//
// Errors   Refusal, as a send with these fields would get it.
// Threads  Any; reads what is fixed after start, and the carriers' health.
// Spec     docs/protocol.md, "route"
#pragma once

#include <expected>
#include <string>

#include "daemon/delivery/routing.h"
#include "daemon/ingress/request.h"

namespace stentor::daemon {

/// The reply line, without its newline.
[[nodiscard]] std::expected<std::string, Refusal> route_answer(const RouteRequest& request,
                                                               const Config& config,
                                                               const Routing& routing);

}  // namespace stentor::daemon
