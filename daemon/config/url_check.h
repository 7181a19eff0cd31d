// Whether a text can be the URL of a callback.
//
// Errors   What is wrong with it, fit to follow a colon.
// Threads  Pure functions.
// Spec     RFC 3986; docs/configuration.md
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stentor::daemon {

/// http or https, a host written out, without percent signs, and of places in braces only those an
/// event can fill: {client} {campaign} {type} {id} {ref} {to} {from}.
[[nodiscard]] std::optional<std::string> check_url_template(std::string_view url);

/// "https://host:port": what fails and rests as one, however it is spelt: in small letters,
/// without the scheme's own port and the dot that may end a name (RFC 3986 section 6.2).
[[nodiscard]] std::string origin_of(std::string_view url);

/// Its host, which may have several ports, each with a server of its own; an address in its usual
/// form, however it is written ("127.1", "0x7f000001", "[0:0:0:0:0:0:0:1]").
[[nodiscard]] std::string host_of_origin(std::string_view origin);

}  // namespace stentor::daemon
