#include "protocol/pdu.h"

namespace stentor::protocol {

Tlv Tlvs::find(std::uint16_t tag) const noexcept {
  for (const Tlv tlv : *this) {
    if (tlv.tag == tag) return tlv;
  }
  return {};
}

std::span<const std::uint8_t> user_data_of(const ShortMessage& message) noexcept {
  if (!message.short_message.empty()) return message.short_message;
  return message.tlvs.find(tag::kMessagePayload).value;
}

}  // namespace stentor::protocol
