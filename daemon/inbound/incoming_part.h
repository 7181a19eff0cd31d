// One deliver_sm or data_sm from a handset, in stentor's own words.
//
// Units    Octets of user data; addresses in their kept form (ingress/number.h).
// Owns     Copies: the PDU may go.
// Errors   None: a tie that cannot be (part 3 of 2) is taken for a message that stands alone.
// Threads  A plain value, a pure function.
// Spec     SMPP 3.4 sections 4.6.1, 5.2.12, 5.2.19, 5.3.2.22 to 24 (SAR); TS 23.038 section 4;
//          TS 23.040 section 9.2.3.24.1
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "encoding/segmenter.h"
#include "protocol/pdu.h"

namespace stentor::daemon {

struct IncomingPart {
  std::string from;                            ///< the handset's
  std::string to;                              ///< ours
  bool fits_no_send = false;                   ///< `from` is national, whatever it looks like
  std::optional<encoding::Alphabet> alphabet;  ///< nothing: octets that are no text
  bool has_header = false;                     ///< user_data begins with a user-data header
  encoding::Tie tie;                           ///< total 1: it stands alone
  std::vector<std::uint8_t> user_data;

  [[nodiscard]] bool is_alone() const noexcept { return tie.total <= 1; }
};

[[nodiscard]] IncomingPart read_incoming(const protocol::DeliverSm& deliver,
                                         const CarrierConfig& carrier);

/// An address of a peer's in kept form: `+` and digits where it is international.
[[nodiscard]] std::string kept_address(const protocol::Address& address);

}  // namespace stentor::daemon
