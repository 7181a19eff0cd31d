// What libsmpp34 makes of the same PDUs: an implementation that is not ours.
//
// It knows fewer values than we do (tables of TON, NPI and TLV tags, no times in deliver_sm), so
// ask it only about what it knows. Its error state is process-wide: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/pdu.h"

namespace stentor::protocol::test {

std::optional<std::vector<std::uint8_t>> smpp34_short_message(CommandId command_id,
                                                              std::uint32_t sequence_number,
                                                              const ShortMessage& message);
std::optional<std::vector<std::uint8_t>> smpp34_submit_resp(std::uint32_t sequence_number,
                                                            CommandStatus status,
                                                            std::string_view message_id);
std::optional<std::vector<std::uint8_t>> smpp34_deliver_resp(std::uint32_t sequence_number,
                                                             CommandStatus status);
std::optional<std::vector<std::uint8_t>> smpp34_bind(std::uint32_t sequence_number,
                                                     const Bind& bind);
std::optional<std::vector<std::uint8_t>> smpp34_bind_resp(std::uint32_t sequence_number,
                                                          BindType type, const BindResp& response);
std::optional<std::vector<std::uint8_t>> smpp34_query_sm(std::uint32_t sequence_number,
                                                         const QuerySm& query);
std::optional<std::vector<std::uint8_t>> smpp34_query_resp(std::uint32_t sequence_number,
                                                           const QueryResp& response);
std::optional<std::vector<std::uint8_t>> smpp34_cancel_sm(std::uint32_t sequence_number,
                                                          const CancelSm& cancel);
std::optional<std::vector<std::uint8_t>> smpp34_bare(CommandId command_id,
                                                     std::uint32_t sequence_number);
std::optional<std::vector<std::uint8_t>> smpp34_data_sm(std::uint32_t sequence_number,
                                                        const ShortMessage& message);

std::optional<std::vector<std::uint8_t>> smpp34_outbind(std::uint32_t sequence_number,
                                                        const Outbind& outbind);
std::optional<std::vector<std::uint8_t>> smpp34_alert_notification(std::uint32_t sequence_number,
                                                                   const AlertNotification& alert);

/// What libsmpp34 writes after it has read `pdu`, of any kind that we write or read: the same
/// octets, when it found every field where we put it. Nothing when it could not read it.
std::optional<std::vector<std::uint8_t>> smpp34_reread(std::span<const std::uint8_t> pdu);

/// submit_sm or deliver_sm as libsmpp34 reads it, in its own octets.
struct OwnedShortMessage {
  std::string service_type;
  Numbering source_numbering;
  std::string source;
  Numbering destination_numbering;
  std::string destination;
  std::uint8_t esm_class = 0;
  std::uint8_t protocol_id = 0;
  std::uint8_t priority_flag = 0;
  std::string schedule_delivery_time;
  std::string validity_period;
  std::uint8_t registered_delivery = 0;
  std::uint8_t replace_if_present_flag = 0;
  std::uint8_t data_coding = 0;
  std::uint8_t sm_default_msg_id = 0;
  std::vector<std::uint8_t> short_message;
  struct OwnedTlv {
    std::uint16_t tag = 0;
    std::vector<std::uint8_t> value;
    friend bool operator==(const OwnedTlv&, const OwnedTlv&) = default;
  };
  std::vector<OwnedTlv> tlvs;
  friend bool operator==(const OwnedShortMessage&, const OwnedShortMessage&) = default;
};
std::optional<OwnedShortMessage> smpp34_read_short_message(std::span<const std::uint8_t> pdu);

/// Ours, made comparable.
OwnedShortMessage owned(const ShortMessage& message);

}  // namespace stentor::protocol::test
