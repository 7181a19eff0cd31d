// How a carrier wants SMPP spoken to it, beyond what every carrier needs.
//
// Units    Octets.
// Owns     Its octets and texts.
// Threads  Plain values.
// Spec     docs/configuration.md; SMPP 3.4 sections 4.4, 4.7, 4.8, 5.2.17 and 5.3.2.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/receipt.h"
#include "protocol/receipt_pattern.h"

namespace stentor::daemon {

/// `interface_version` of SMPP 3.3, which has no optional parameters.
constexpr std::uint8_t kVersion33 = 0x33;

/// When an optional parameter travels that is of use to us and that nobody asked for.
enum class TlvUse : std::uint8_t {
  never,
  where_known,  ///< on a bind whose peer has told that it speaks SMPP 3.4 or later
  always
};
[[nodiscard]] constexpr bool is_used(TlvUse use, bool is_known_to_peer) noexcept {
  return use == TlvUse::always || (use == TlvUse::where_known && is_known_to_peer);
}

struct WireConfig {
  bool by_data_sm = false;         ///< `submit`: data_sm instead of submit_sm
  std::vector<std::uint8_t> tlvs;  ///< optional parameters of every message, as they travel
  TlvUse user_message_reference = TlvUse::where_known;
  /// A receipt whose id fits nothing is matched by it, where the carrier gives it back.
  bool match_by_reference = true;
  TlvUse more_messages_to_send = TlvUse::where_known;
  /// What asks for a receipt there, instead of 1; bits 0 and 1 follow the message's wish.
  std::optional<std::uint8_t> registered_delivery;
  /// Without a receipt for so long, the carrier is asked by query_sm; 0: never.
  std::chrono::milliseconds query_after{0};
  bool cancel_sm = true;             ///< it may be asked to call back what it has taken
  std::string receipt_pattern_text;  ///< empty: the usual form
  std::optional<protocol::ReceiptPattern> receipt_pattern;
  /// What the carrier's own words in `stat` mean, numbers among them, and its message_state TLVs.
  std::vector<std::pair<std::string, protocol::MessageState>> receipt_states;
};

}  // namespace stentor::daemon
