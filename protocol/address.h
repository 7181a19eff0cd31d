// TON and NPI from the form of an address, as carriers commonly want them.
//
// Threads  Pure functions.
// Spec     SMPP 3.4 section 5.2.5 (TON), 5.2.6 (NPI). Practice: international 1/1 without `+`,
//          national 2/1, alphanumeric 5/0, short code 3/0.
#pragma once

#include <string_view>

#include "protocol/pdu.h"

namespace stentor::protocol {

enum class AddressForm : std::uint8_t { international, national, short_code, alphanumeric };

/// The TON/NPI pair for a form: 1/1, 2/1, 3/0, 5/0.
[[nodiscard]] Numbering numbering_of(AddressForm form) noexcept;

/// Digits only: up to eight are a short code, more are a national number where they begin with one
/// 0, which no country code does, else an international one (a leading `+` says so too); anything
/// else is alphanumeric.
[[nodiscard]] AddressForm form_of(std::string_view address) noexcept;

}  // namespace stentor::protocol
