// What the daemon writes into the journal of messages that come from handsets.
//
// Units    Milliseconds of Unix time.
// Owns     Decoded records view the payload they were decoded from.
// Errors   A payload that does not decode answers nullopt, as in records.h.
// Threads  Pure functions.
// Spec     docs/journal.md has the layout of blocks; the payloads are documented here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/records/fields.h"
#include "daemon/records/message_id.h"

namespace stentor::daemon {

/// Values are on disk and of one space with RecordKind: never renumber, never reuse.
enum class InboundRecordKind : std::uint8_t {
  came = 25,  ///< a message from a handset, whole or as much of it as came
  part = 26   ///< a part of a long one, durable before the carrier is answered
};

/// Payload: time (u64), id (2 × u64), part count (u8), parts that came (u8), reference (u16),
/// flags (u8: 1 binary, 2 cut, 4 its STOP fits no send), then carrier, client, from, to, text as
/// texts.
struct InboundCame {
  std::uint64_t time_ms = 0;
  MessageId id;
  std::uint8_t parts = 1;
  std::uint8_t parts_came = 1;
  std::uint16_t reference = 0;  ///< of its parts, so that a restart forgets them
  bool is_binary = false;       ///< `text` holds octets
  bool is_cut = false;          ///< its end did not fit into a record
  /// It wants no more messages, and no send is refused for that: nobody can send to, or from, a
  /// number of the form in which the carrier wrote it.
  bool is_unmatched_stop = false;
  std::string_view carrier;
  std::string_view client;  ///< empty: nobody's
  std::string_view from;
  std::string_view to;
  std::string_view text;
};
void encode(const InboundCame& came, FieldWriter& out);
[[nodiscard]] std::optional<InboundCame> decode_inbound(std::span<const std::uint8_t> payload);

/// Payload: time (u64), alphabet (u8, 255: octets), flags (u8: 1 header,
/// 2 `from` fits no send), reference (u16), total (u8), number (u8), then carrier, from, to as
/// texts, and the user data as a block.
struct InboundPart {
  static constexpr std::uint8_t kOctets = 255;
  std::uint64_t time_ms = 0;
  std::uint8_t alphabet = kOctets;  ///< encoding::Alphabet
  bool has_header = false;
  bool fits_no_send = false;  ///< `from` is national, whatever it looks like
  std::uint16_t reference = 0;
  std::uint8_t total = 1;
  std::uint8_t number = 1;
  std::string_view carrier;
  std::string_view from;
  std::string_view to;
  std::span<const std::uint8_t> user_data;
};
void encode(const InboundPart& part, FieldWriter& out);
[[nodiscard]] std::optional<InboundPart> decode_inbound_part(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
