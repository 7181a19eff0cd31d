// The regions a number may belong to: what its first digits tell about where its owner is.
//
// libphonenumber would tell no more, and its package cannot be installed beside Boost 1.81.
//
// Errors   A number of no region (satellite, freephone, a code nobody has): empty.
// Threads  A pure function.
// Spec     ITU-T E.164, list of assigned country codes; the North American area codes
#pragma once

#include <string_view>

namespace stentor::daemon {

/// `digits`: an international number, without `+`. Regions as in ISO 3166-1: "RU", or "US,CA".
[[nodiscard]] std::string_view regions_of(std::string_view digits) noexcept;

}  // namespace stentor::daemon
