// The URL of a callback with places for what an event is about: {client}, {campaign}, {type},
// {id}, {ref}, {to}, {from}. What is filled in is percent-encoded: it stays inside its place.
//
// Errors   check_url_template() says what is wrong, fit to follow a colon; the others take what
//          passed it.
// Threads  Pure functions.
// Spec     RFC 3986 section 2.3
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/records/records.h"

namespace stentor::daemon {

[[nodiscard]] std::string expand_url(std::string_view url, const Subject& subject,
                                     std::string_view type);

}  // namespace stentor::daemon
