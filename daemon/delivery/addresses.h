// How a kept number or sender is written for a carrier: rewritten, without `+`, with TON and NPI;
// and the way back from a national number.
//
// Owns     Its text.
// Errors   None: kept forms were checked when they came, rewriting rules when they were read; both
//          together fit SMPP's 20 octets.
// Threads  Pure functions.
// Spec     SMPP 3.4 sections 5.2.5 and 5.2.6; docs/carriers.md, "Addresses"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "protocol/pdu.h"

namespace stentor::daemon {

struct WireAddress {
  protocol::Numbering numbering;
  std::string digits;          ///< or an alphanumeric sender, in Latin-1
  std::string_view rewritten;  ///< the `from` of the rule that was applied; empty: none
};

/// `is_short`: the client said that it is a short code, whatever its length.
[[nodiscard]] WireAddress destination_on_wire(std::string_view kept, bool is_short,
                                              const CarrierConfig& carrier);
[[nodiscard]] WireAddress source_on_wire(std::string_view kept, const CarrierConfig& carrier);

/// The kept number that `rules` write as this national one; nothing where none is, or several are:
/// another's number would be worse than none.
[[nodiscard]] std::optional<std::string> international_of(std::string_view national,
                                                          const std::vector<Rewrite>& rules);

}  // namespace stentor::daemon
