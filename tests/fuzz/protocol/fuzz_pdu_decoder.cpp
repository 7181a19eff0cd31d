// Any octets, taken for a PDU of every kind.
//
// Beside not reading outside: what decodes as a short message, a query, its answer or a
// cancellation encodes to the same octets again.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/receipt.h"

namespace {

using namespace stentor::protocol;

void require(bool holds) {
  if (!holds) std::abort();
}

void require_same_body(std::span<const std::uint8_t> pdu, const Octets& again) {
  require(std::equal(pdu.begin() + kHeaderOctets, pdu.end(), again.begin() + kHeaderOctets,
                     again.end()));
}

// The fields that we know; what follows them is passed over.
void require_begins_with(std::span<const std::uint8_t> pdu, const Octets& again) {
  require(again.size() <= pdu.size());
  require_same_body(pdu.first(again.size()), again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> pdu(data, size);
  const auto length = front_pdu_octets(pdu);
  require(!length || *length == 0 || (*length >= kHeaderOctets && *length <= kPduOctetsMax));
  (void)decode_bind(pdu);
  (void)decode_bind_resp(pdu);
  (void)decode_submit_resp(pdu);
  if (const auto query = decode_query_sm(pdu)) {
    Octets again;
    if (append_query_sm(again, 1, *query)) require_begins_with(pdu, again);
  }
  if (const auto answer = decode_query_resp(pdu)) {
    Octets again;
    const bool has_body = size > kHeaderOctets;
    if (append_query_resp(again, 1, CommandStatus::ok, *answer) && has_body) {
      require_begins_with(pdu, again);
    }
  }
  if (const auto cancel = decode_cancel_sm(pdu)) {
    Octets again;
    if (append_cancel_sm(again, 1, *cancel)) require_begins_with(pdu, again);
  }
  if (const auto outbind = decode_outbind(pdu)) {
    require(outbind->system_id.size() + outbind->password.size() < size);
  }
  if (const auto alert = decode_alert_notification(pdu)) {
    (void)alert->tlvs.find(tag::kMsAvailabilityStatus);
    for (const Tlv tlv : alert->tlvs) require(tlv.value.size() <= size);
  }
  if (const auto message = decode_short_message(pdu)) {
    Octets again;
    if (append_deliver_sm(again, 1, *message)) require_same_body(pdu, again);
    (void)check_user_data(*message);
    (void)parse_receipt(*message);
  }
  if (const auto message = decode_data_sm(pdu)) {
    Octets again;
    if (append_data_sm(again, 1, *message)) require_same_body(pdu, again);
    (void)check_user_data(*message);
    (void)parse_receipt(*message);
  }
  return 0;
}
