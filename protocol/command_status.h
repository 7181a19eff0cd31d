// command_status: its standard values, their names, and what becomes of a segment that got one.
//
// Threads  Plain values and pure functions.
// Spec     SMPP 3.4 section 5.1.3; SMPP 5.0 section 4.7.6 for the later ones.
#pragma once

#include <cstdint>
#include <string_view>

namespace stentor::protocol {

/// Any 32-bit value may come from a peer; the named ones are those we act on or send ourselves.
enum class CommandStatus : std::uint32_t {  // NOLINT(performance-enum-size): as on the wire
  ok = 0x00000000,
  invalid_message_length = 0x01,
  invalid_command_length = 0x02,
  invalid_command_id = 0x03,
  invalid_bind_status = 0x04,
  already_bound = 0x05,
  system_error = 0x08,
  invalid_source_address = 0x0a,
  invalid_destination_address = 0x0b,
  bind_failed = 0x0d,
  invalid_password = 0x0e,
  invalid_system_id = 0x0f,
  message_queue_full = 0x14,
  invalid_system_type = 0x53,
  throttled = 0x58,
  invalid_optional_part = 0xc0,
  unknown_error = 0xff
};

/// What the queue does next with a segment the SMSC has answered.
enum class Disposition : std::uint8_t {
  accepted,     ///< the carrier took it
  slow_down,    ///< throttled: the carrier's rate falls, no attempt is charged
  retry_later,  ///< temporary: again after a pause, a bounded number of times
  retry_few,    ///< says little: it may pass, so again, but only a few times
  give_up,      ///< permanent: this message will not pass there
  link_fault    ///< the bind or the account is wrong, not the message: rebind, the first time free
};

/// A status we do not know is retried a few times and then given up: carriers invent their own.
[[nodiscard]] Disposition disposition_of(CommandStatus status) noexcept;

/// Whose doing a permanent refusal is: where many of a carrier's answers are of one kind, it is not
/// the messages that are wrong.
enum class Fault : std::uint8_t {
  none,
  address,  ///< numbers, their TON and NPI: how we write them, or what is routed there
  encoding  ///< lengths, flags, classes, times, data_coding, TLVs: what we build
};
[[nodiscard]] Fault fault_of(CommandStatus status) noexcept;

/// The specification's name, for example "ESME_RTHROTTLED"; "0x00000412" style is the caller's
/// business: an unknown status answers an empty view.
[[nodiscard]] std::string_view name_of(CommandStatus status) noexcept;

/// The stable word for upstream events: "throttled", "carrier_rejected", "invalid_destination", …
[[nodiscard]] std::string_view outcome_code_of(CommandStatus status) noexcept;

}  // namespace stentor::protocol
