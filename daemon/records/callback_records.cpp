#include "daemon/records/callback_records.h"

namespace stentor::daemon {

void encode(const DeadLetter& letter, FieldWriter& out) {
  out.u64(letter.time_ms);
  out.u64(letter.position);
  out.u8(letter.sub);
  for (const std::string_view text : {letter.client, letter.target, letter.reason}) out.text(text);
}

std::optional<DeadLetter> decode_dead_letter(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  DeadLetter letter;
  letter.time_ms = in.u64();
  letter.position = in.u64();
  letter.sub = in.u8();
  for (std::string_view* text : {&letter.client, &letter.target, &letter.reason}) {
    *text = in.text();
  }
  if (!in.is_good()) return std::nullopt;
  return letter;
}

}  // namespace stentor::daemon
