// What a send means, before anything of it is stored: times, hours, who may send what to whom, the
// carrier of each recipient, and what its text costs there.
//
// Units    Milliseconds of Unix time.
// Owns     Nothing: the rules outlive the check, the request the answer.
// Errors   Refusal, with the code and the field that is to blame. In an array a recipient may be
//          refused while the others go.
// Threads  The ingress thread, which owns the rules' hours.
// Spec     docs/protocol.md, "send"
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/delivery/coding.h"
#include "daemon/delivery/routing.h"
#include "daemon/hours/open_hours.h"
#include "daemon/ingress/peer.h"
#include "daemon/ingress/request.h"

namespace stentor::daemon {

class OptOuts;

struct SendRules {
  const Config& config;
  const Routing& routing;
  const OptOuts* opt_outs;  ///< who is not to be sent to; nullptr: nobody said so
  OpenHours& open_hours;
};

struct SendCost {
  std::uint32_t segments = 0;  ///< what the handset gets
  std::uint8_t parts = 0;      ///< submit_sm it takes
  std::string_view encoding;   ///< the protocol's word: a literal
  std::string replaced;        ///< members of the reply that say what was replaced
  EncodingReason reason;
};

struct CheckedRecipient {
  std::string to;  ///< kept form; as written where it is refused
  std::uint16_t carrier = 0;
  std::string from;
  SendCost cost;
  std::uint64_t due_ms = 0;  ///< goes no earlier: not_before, or when its hours begin; 0: now
  std::string zone;          ///< of its hours
  encoding::Replacement replacement = encoding::Replacement::none;
  RouteReason route;
  std::optional<Refusal> refusal;
};

struct CheckedSend {
  std::vector<CheckedRecipient> recipients;  ///< distinct, and at least one is not refused
  std::uint64_t not_before_ms = 0;           ///< 0: now
  std::uint64_t expires_ms = 0;
};

[[nodiscard]] std::expected<CheckedSend, Refusal> check_send(const SendRequest& request,
                                                             const Peer& peer, std::uint64_t now_ms,
                                                             const SendRules& rules);

}  // namespace stentor::daemon
