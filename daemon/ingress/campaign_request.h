// Reads a `campaign` request from its fields.
//
// Errors   Refusal with bad_field or unknown_field.
// Threads  A pure function; the result views what `fields` views.
// Spec     docs/protocol.md, "campaign"
#pragma once

#include <expected>

#include "daemon/ingress/request.h"
#include "daemon/ingress/request_fields.h"

namespace stentor::daemon {

[[nodiscard]] std::expected<CampaignRequest, Refusal> read_campaign_request(
    const RequestFields& fields);

}  // namespace stentor::daemon
