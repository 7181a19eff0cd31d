// Any octets, taken for a PDU of every kind.
//
// Beside not reading outside: what decodes as a short message encodes to the same octets again.
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> pdu(data, size);
  const auto length = front_pdu_octets(pdu);
  require(!length || *length == 0 || (*length >= kHeaderOctets && *length <= kPduOctetsMax));
  (void)decode_bind(pdu);
  (void)decode_bind_resp(pdu);
  (void)decode_submit_resp(pdu);
  (void)decode_query_sm(pdu);
  (void)decode_query_resp(pdu);
  (void)decode_cancel_sm(pdu);
  (void)decode_outbind(pdu);
  if (const auto alert = decode_alert_notification(pdu)) (void)alert->tlvs.find(0x0422);
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
