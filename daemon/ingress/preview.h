// Answers a preview: how a text would be cut and what it would cost.
//
// Threads  Pure functions.
// Spec     docs/protocol.md, "preview"
#pragma once

#include <optional>
#include <string>

#include "daemon/config/config.h"
#include "daemon/delivery/coding.h"
#include "daemon/delivery/routing.h"
#include "daemon/ingress/request.h"

namespace stentor::daemon {

/// Appends `"replaced":[…],"saved":N`: what was changed in the text, each at its octet, and how
/// many segments that saved (left out where the text could not have been sent at all).
void append_replacements(const Content& content, const CarrierConfig& carrier,
                         const encoding::Plan& plan, std::string& out);

/// Appends the reply without its newline, or answers why it is refused.
[[nodiscard]] std::optional<Refusal> append_preview(const PreviewRequest& request,
                                                    const Config& config, const Routing& routing,
                                                    std::string& reply);

}  // namespace stentor::daemon
