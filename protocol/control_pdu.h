// The requests that steer a session, packed by libsmpp34: bind, unbind, query_sm, cancel_sm.
//
// They are composed from our own bounded fields and are rare; the hot PDUs and every octet from a
// peer are the business of encoder.h and decoder.h.
//
// Units    Octets, appended to the caller's; on failure nothing is.
// Owns     Nothing.
// Errors   field_too_long, as in encoder.h.
// Threads  Any; libsmpp34 keeps its error state in process-wide variables, so a lock stands
//          around it. A call takes some microseconds: keep it off the hot path.
// Spec     SMPP 3.4 sections 4.1, 4.2, 4.8, 4.9.
#pragma once

#include <cstdint>

#include "protocol/encoder.h"
#include "protocol/error.h"
#include "protocol/pdu.h"

namespace stentor::protocol {

[[nodiscard]] result<void> pack_bind(Octets& out, std::uint32_t sequence_number, const Bind& bind);
[[nodiscard]] result<void> pack_unbind(Octets& out, std::uint32_t sequence_number);
[[nodiscard]] result<void> pack_query_sm(Octets& out, std::uint32_t sequence_number,
                                         const QuerySm& query);
/// Refuses an empty message_id: that would cancel whatever waits between the two addresses.
[[nodiscard]] result<void> pack_cancel_sm(Octets& out, std::uint32_t sequence_number,
                                          const CancelSm& cancel);

}  // namespace stentor::protocol
