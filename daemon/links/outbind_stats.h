// What became of the connections that a carrier's SMSC, or somebody else, opened to us.
//
// Units    Connections.
// Threads  Plain values.
// Spec     docs/carriers.md, "Outbind"
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace stentor::daemon {

enum class OutbindOutcome : std::uint8_t {
  taken,        ///< a bind goes over it
  stranger,     ///< from an address that is not allowed
  crowded,      ///< too many had not said their outbind yet
  silent,       ///< ended, or no outbind in bind_timeout
  malformed,    ///< something else came first
  credentials,  ///< another system_id or password
  unneeded,     ///< no bind that receives was free
};

inline constexpr std::array<std::string_view, 7> kOutbindOutcomeNames = {
    "taken", "stranger", "crowded", "silent", "malformed", "credentials", "unneeded"};

struct OutbindStats {
  std::array<std::uint64_t, kOutbindOutcomeNames.size()> counts{};

  [[nodiscard]] std::uint64_t& of(OutbindOutcome outcome) noexcept {
    return counts[std::to_underlying(outcome)];
  }
};

}  // namespace stentor::daemon
