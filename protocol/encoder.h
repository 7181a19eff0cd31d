// Writes PDUs, for a client or for a server, at the end of the caller's octets.
//
// Each append writes one whole PDU or, when it fails, nothing. The vector grows by its own rules;
// a caller that clears and reuses it allocates nothing once it is warm.
//
// Units    Octets. Texts are given without their terminating NUL.
// Owns     Nothing.
// Errors   field_too_long when a text or the user data exceeds its field, or when a text holds a
//          NUL (it would end there: GSM `@` is 0x00). These are our own mistakes, so they are
//          checked before a single octet is written.
// Threads  Pure functions on the caller's vector.
// Spec     SMPP 3.4 section 3.2 (format), section 4 (PDUs), section 5.3 (TLVs).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/error.h"
#include "protocol/pdu.h"

namespace stentor::protocol {

using Octets = std::vector<std::uint8_t>;

/// A PDU that is only a header: enquire_link, enquire_link_resp, unbind, unbind_resp,
/// generic_nack, cancel_sm_resp, and any response that carries nothing but its status.
void append_bare(Octets& out, CommandId command_id, CommandStatus status,
                 std::uint32_t sequence_number);

[[nodiscard]] result<void> append_submit_sm(Octets& out, std::uint32_t sequence_number,
                                            const SubmitSm& submit);
[[nodiscard]] result<void> append_deliver_sm(Octets& out, std::uint32_t sequence_number,
                                             const DeliverSm& deliver);
/// User data, when there is any, becomes a message_payload TLV in front of `message.tlvs`.
/// Fields that data_sm does not have are left out.
[[nodiscard]] result<void> append_data_sm(Octets& out, std::uint32_t sequence_number,
                                          const ShortMessage& message);

/// With a status other than ok the body is left out (section 4.4.2). `message_id` may be longer
/// than the standard has it, as what SMSCs write is.
[[nodiscard]] result<void> append_submit_resp(Octets& out, std::uint32_t sequence_number,
                                              CommandStatus status, std::string_view message_id);
/// Its message_id is unused and always empty (section 4.6.2).
void append_deliver_resp(Octets& out, std::uint32_t sequence_number, CommandStatus status);
/// As deliver_sm_resp, with the other command_id (section 4.7.2).
void append_data_resp(Octets& out, std::uint32_t sequence_number, CommandStatus status);

[[nodiscard]] result<void> append_bind(Octets& out, std::uint32_t sequence_number,
                                       const Bind& bind);
/// `type` is that of the request. With a status other than ok the body is left out.
/// sc_interface_version is written when `response.interface_version` is not 0.
[[nodiscard]] result<void> append_bind_resp(Octets& out, std::uint32_t sequence_number,
                                            BindType type, CommandStatus status,
                                            const BindResp& response);

[[nodiscard]] result<void> append_query_sm(Octets& out, std::uint32_t sequence_number,
                                           const QuerySm& query);
[[nodiscard]] result<void> append_query_resp(Octets& out, std::uint32_t sequence_number,
                                             CommandStatus status, const QueryResp& response);
[[nodiscard]] result<void> append_cancel_sm(Octets& out, std::uint32_t sequence_number,
                                            const CancelSm& cancel);

/// One TLV, to be viewed by Tlvs. `value` has at most 65535 octets; a PDU at most kTlvsMax TLVs.
void append_tlv(Octets& out, std::uint16_t tag, std::span<const std::uint8_t> value);
void append_tlv_u8(Octets& out, std::uint16_t tag, std::uint8_t value);
void append_tlv_u16(Octets& out, std::uint16_t tag, std::uint16_t value);
/// A C-octet string: `text` and its NUL.
void append_tlv_text(Octets& out, std::uint16_t tag, std::string_view text);

}  // namespace stentor::protocol
