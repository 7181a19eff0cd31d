// Answers a preview: how a text would be cut and what it would cost.
//
// Threads  Pure functions.
// Spec     docs/protocol.md, "preview"
#pragma once

#include <optional>
#include <string>

#include "daemon/config/config.h"
#include "daemon/delivery/routing.h"
#include "daemon/ingress/request.h"

namespace stentor::daemon {

/// Appends the reply without its newline, or answers why it is refused.
[[nodiscard]] std::optional<Refusal> append_preview(const PreviewRequest& request,
                                                    const Config& config, const Routing& routing,
                                                    std::string& reply);

}  // namespace stentor::daemon
