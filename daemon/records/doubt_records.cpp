#include "daemon/records/doubt_records.h"

namespace stentor::daemon {

std::string_view name_of(DoubtEnd end) noexcept {
  switch (end) {
    case DoubtEnd::said_sent: return "sent";
    case DoubtEnd::said_unsent: return "unsent";
    case DoubtEnd::abandoned: return "abandon";
    case DoubtEnd::receipt: return "receipt";
    case DoubtEnd::waited: return "waited";
    case DoubtEnd::cancelled: return "cancelled";
    case DoubtEnd::expired: return "expired";
  }
  return "";
}

void encode(const Resolved& resolved, FieldWriter& out) {
  encode(resolved.of, out);
  out.u8(static_cast<std::uint8_t>(resolved.end));
  out.text(resolved.by);
  out.text(resolved.code);
  out.text(resolved.detail);
}

std::optional<Resolved> decode_resolved(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Resolved resolved;
  resolved.of = decode_following(in);
  resolved.end = static_cast<DoubtEnd>(in.u8());
  resolved.by = in.text();
  resolved.code = in.text();
  resolved.detail = in.text();
  if (!in.is_good()) return std::nullopt;
  return resolved;
}

}  // namespace stentor::daemon
