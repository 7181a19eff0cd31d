// Any octets, taken for a PDU of every kind.
//
// Beside not reading outside: what decodes as a short message, a query, its answer or a
// cancellation encodes to the same octets again, and what is read within the standard's bounds is
// read the same leniently.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/field_limits.h"
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

// What is read leniently, against what was read by the standard, if it was.
void require_kept(const result<ShortMessage>& lenient, const result<ShortMessage>& strict) {
  if (strict) {
    require(lenient.has_value());
    require(lenient->source.digits == strict->source.digits);
    require(lenient->destination.digits == strict->destination.digits);
    require(lenient->service_type == strict->service_type);
    require(lenient->esm_class == strict->esm_class);
    require(std::ranges::equal(lenient->short_message, strict->short_message));
    require(std::ranges::equal(lenient->tlvs.octets(), strict->tlvs.octets()));
  }
  if (!lenient) return;
  require(lenient->source.digits.size() <= kDataAddressMax);
  require(lenient->destination.digits.size() <= kDataAddressMax);
  require(lenient->service_type.size() <= kServiceTypeMax);
  (void)check_user_data(*lenient);
  (void)parse_receipt(*lenient);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> pdu(data, size);
  const auto length = front_pdu_octets(pdu);
  require(!length || *length == 0 || (*length >= kHeaderOctets && *length <= kPduOctetsMax));
  (void)decode_bind(pdu);
  (void)decode_bind_resp(pdu);
  (void)decode_submit_resp(pdu);
  if (const auto tlvs = decode_response_tlvs(pdu)) {
    for (const Tlv tlv : *tlvs) require(tlv.value.size() <= size);
  }
  if (const auto query = decode_query_sm(pdu)) {
    Octets again;
    if (append_query_sm(again, 1, *query)) require_begins_with(pdu, again);
  }
  if (const auto answer = decode_query_resp(pdu)) {
    Octets again;
    // A date that is too long is left out.
    const std::size_t date_at = kHeaderOctets + answer->message_id.size() + 1;
    const bool is_whole =
        size > kHeaderOctets && answer->final_date.empty() == (data[date_at] == 0);
    if (is_whole && append_query_resp(again, 1, CommandStatus::ok, *answer)) {
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
  const auto message = decode_short_message(pdu);
  if (message) {
    Octets again;
    if (append_deliver_sm(again, 1, *message)) require_same_body(pdu, again);
  }
  require_kept(decode_short_message(pdu, TextBounds::lenient), message);
  const auto data_sm = decode_data_sm(pdu);
  if (data_sm) {
    Octets again;
    if (append_data_sm(again, 1, *data_sm)) require_same_body(pdu, again);
  }
  require_kept(decode_data_sm(pdu, TextBounds::lenient), data_sm);
  return 0;
}
