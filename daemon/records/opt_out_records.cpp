#include "daemon/records/opt_out_records.h"

namespace stentor::daemon {

std::string_view name_of(OptOutBy by) noexcept {
  switch (by) {
    case OptOutBy::reply: return "reply";
    case OptOutBy::request: return "request";
  }
  return "request";
}

void encode(const OptOutChange& change, FieldWriter& out) {
  out.u64(change.time_ms);
  out.u8(change.is_out ? 1 : 0);
  out.u8(static_cast<std::uint8_t>(change.by));
  out.u64(change.inbound.high());
  out.u64(change.inbound.low());
  for (const std::string_view text : {change.client, change.carrier, change.sender, change.word}) {
    out.text(text);
  }
  out.varint(change.numbers.size());
  for (const std::string_view number : change.numbers) out.text(number);
}

std::optional<OptOutChange> decode_opt_out(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  OptOutChange change;
  change.time_ms = in.u64();
  change.is_out = in.u8() != 0;
  change.by = static_cast<OptOutBy>(in.u8());
  const std::uint64_t high = in.u64();
  change.inbound = MessageId(high, in.u64());
  for (std::string_view* text : {&change.client, &change.carrier, &change.sender, &change.word}) {
    *text = in.text();
  }
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count && in.is_good(); ++i) {  // each takes an octet: bounded
    change.numbers.push_back(in.text());
  }
  if (!in.is_good()) return std::nullopt;
  return change;
}

}  // namespace stentor::daemon
