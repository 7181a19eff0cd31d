// The optional parameters that SMPP knows by name, and how a value written by a person becomes
// octets.
//
// Units    Octets of the value, without the four of tag and length.
// Owns     Nothing.
// Errors   TlvFault: a phrase that says what was expected, fit to follow a field's name.
// Threads  Pure functions over constants.
// Spec     SMPP 3.4 section 5.3.2; SMPP 5.0 section 4.8.4 for what it added.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/encoder.h"
#include "protocol/pdu.h"

namespace stentor::protocol {

enum class TlvForm : std::uint8_t {
  integer,   ///< of `octets_max` octets: 1, 2 or 4
  c_octets,  ///< a text and its NUL; octets_max counts the NUL
  octets,    ///< octets_min to octets_max of them
  flag       ///< no value at all
};

struct TlvKind {
  std::uint16_t tag;
  TlvForm form;
  std::uint16_t octets_min;
  std::uint16_t octets_max;
  std::string_view name;  ///< as the specification spells it
};

/// Null for a name, or a tag, that no specification has.
[[nodiscard]] const TlvKind* find_tlv_kind(std::string_view name) noexcept;
[[nodiscard]] const TlvKind* find_tlv_kind(std::uint16_t tag) noexcept;

/// Whether a session writes this one itself (parts, references, the text): then it cannot be asked
/// for, as two of them would contradict each other.
[[nodiscard]] bool is_written_by_session(std::uint16_t tag) noexcept;

/// A value as a configuration or a request writes it: a number, or a text. A text is the value
/// itself for a C-octet string of a known name, and pairs of hexadecimal digits otherwise.
using TlvText = std::variant<std::uint64_t, std::string_view>;
using TlvFault = std::string;

/// Appends the TLV that `name` and `value` mean. `name` is one of the specification's, or a tag as
/// "0x1400": vendors have 0x1400 to 0x3fff, and a known tag's form is not looked at then.
[[nodiscard]] std::expected<void, TlvFault> append_tlv_by_name(Octets& out, std::string_view name,
                                                               const TlvText& value);

/// `more` behind `first`, less what `more` has too: the nearer word wins. Both are checked TLVs.
void append_merged(Octets& out, const Tlvs& first, const Tlvs& more);

}  // namespace stentor::protocol
