#include "daemon/records/inbound_records.h"

namespace stentor::daemon {

void encode(const InboundCame& came, FieldWriter& out) {
  out.u64(came.time_ms);
  out.u64(came.id.high());
  out.u64(came.id.low());
  out.u8(came.parts);
  out.u8(came.parts_came);
  out.u16(came.reference);
  out.u8(static_cast<std::uint8_t>((came.is_binary ? 1u : 0u) | (came.is_cut ? 2u : 0u) |
                                   (came.is_unmatched_stop ? 4u : 0u)));
  for (const std::string_view text : {came.carrier, came.client, came.from, came.to, came.text}) {
    out.text(text);
  }
}

std::optional<InboundCame> decode_inbound(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  InboundCame came;
  came.time_ms = in.u64();
  const std::uint64_t high = in.u64();
  came.id = MessageId(high, in.u64());
  came.parts = in.u8();
  came.parts_came = in.u8();
  came.reference = in.u16();
  const std::uint8_t flags = in.u8();
  came.is_binary = (flags & 1u) != 0;
  came.is_cut = (flags & 2u) != 0;
  came.is_unmatched_stop = (flags & 4u) != 0;
  for (std::string_view* text : {&came.carrier, &came.client, &came.from, &came.to, &came.text}) {
    *text = in.text();
  }
  if (!in.is_good()) return std::nullopt;
  return came;
}

void encode(const InboundPart& part, FieldWriter& out) {
  out.u64(part.time_ms);
  out.u8(part.alphabet);
  out.u8(static_cast<std::uint8_t>((part.has_header ? 1u : 0u) | (part.fits_no_send ? 2u : 0u)));
  out.u16(part.reference);
  out.u8(part.total);
  out.u8(part.number);
  for (const std::string_view text : {part.carrier, part.from, part.to}) out.text(text);
  out.block(part.user_data);
}

std::optional<InboundPart> decode_inbound_part(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  InboundPart part;
  part.time_ms = in.u64();
  part.alphabet = in.u8();
  const std::uint8_t flags = in.u8();
  part.has_header = (flags & 1u) != 0;
  part.fits_no_send = (flags & 2u) != 0;
  part.reference = in.u16();
  part.total = in.u8();
  part.number = in.u8();
  for (std::string_view* text : {&part.carrier, &part.from, &part.to}) *text = in.text();
  part.user_data = in.block();
  if (!in.is_good()) return std::nullopt;
  return part;
}

}  // namespace stentor::daemon
