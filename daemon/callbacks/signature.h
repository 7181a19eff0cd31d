// Proves to the receiver of a callback that it comes from here and is no old one.
//
// Threads  Pure function.
// Spec     RFC 2104 with SHA-256; docs/protocol.md, "HTTP callbacks"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stentor::daemon {

/// "t=SECONDS,v1=HEX": HMAC-SHA-256 by `secret` of "SECONDS.BODY".
[[nodiscard]] std::string signature_of(std::string_view secret, std::uint64_t seconds,
                                       std::string_view body);

}  // namespace stentor::daemon
