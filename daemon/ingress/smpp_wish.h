// Reads the fields of a send that are SMPP's own: service_type, protocol_id, tlv.
//
// Units    Octets.
// Owns     The optional parameters it has read, until the next request.
// Errors   Refusal: bad_field, with the member's name.
// Threads  One thread.
// Spec     docs/protocol.md, "send"; SMPP 3.4 sections 5.2.11, 5.2.13 and 5.3.2.
#pragma once

#include <expected>
#include <memory>
#include <vector>

#include "daemon/ingress/request.h"
#include "daemon/ingress/request_fields.h"

namespace stentor::daemon {

class SmppWishReader {
 public:
  /// A message's own optional parameters are at most so many, of so many octets together: they
  /// travel with each of its segments, and stand in its record.
  static constexpr std::size_t kTlvsMax = 16;
  static constexpr std::size_t kTlvOctetsMax = 512;

  SmppWishReader();
  ~SmppWishReader();

  /// Leaves `out` as it was where the fields are absent. What it holds views this reader.
  [[nodiscard]] std::expected<void, Refusal> read(const RequestFields& fields, SmppWish& out);

 private:
  [[nodiscard]] std::expected<void, Refusal> read_tlvs(const RequestFields& fields, SmppWish& out);

  class Json;
  std::unique_ptr<Json> json_;
  std::vector<std::uint8_t> tlvs_;
};

}  // namespace stentor::daemon
