// Why a message was taken as it was: what led to its carrier, and what decided its alphabet. They
// stand in its accepted record, since the configuration that decided may be another one tomorrow.
//
// Units    Routes count from 1, as they stand in the file; a prefix is counted in digits.
// Owns     A decoded reason views the record it was decoded from.
// Errors   What does not decode is nothing: an older record has none.
// Threads  Plain values.
// Spec     docs/protocol.md, "message"
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/records/fields.h"

namespace stentor::daemon {

struct RouteReason {
  bool is_named = false;  ///< the client chose the carrier: routes had no say
  bool by_campaign = false;
  bool by_sender = false;
  bool is_shared = false;
  std::uint32_t route = 0;
  std::uint8_t prefix_digits = 0;  ///< of the destination; 0: any destination
  struct PassedOver {
    std::string_view carrier;
    std::string_view health;
  };
  std::vector<PassedOver> passed_over;  ///< asked before, took nothing: few, and rare
};
void encode(const RouteReason& reason, FieldWriter& out);
[[nodiscard]] std::optional<RouteReason> decode_route_reason(std::span<const std::uint8_t> octets);
/// "the longest prefix, 7916", as `route` says it.
[[nodiscard]] std::string describe(const RouteReason& reason, std::string_view to);

struct EncodingReason {
  /// Values are on disk.
  enum class Why : std::uint8_t { cheapest, asked, forced, octets };
  std::string_view encoding;  ///< the protocol's word: a literal
  Why why = Why::cheapest;
  std::uint32_t code_point = 0;  ///< that forced it, the first of them
  std::uint64_t index = 0;       ///< where it stands, in characters
};
void encode(const EncodingReason& reason, FieldWriter& out);
[[nodiscard]] std::optional<EncodingReason> decode_encoding_reason(
    std::span<const std::uint8_t> octets);
[[nodiscard]] std::string describe(const EncodingReason& reason);

}  // namespace stentor::daemon
