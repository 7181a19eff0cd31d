// What few messages have behind a Subject's fields, in the same octets: so that it is copied into
// each record about the message, and who does not ask for it pays nothing.
//
// Units    A URL as the message gave it, places in braces included.
// Owns     Nothing; views the octets it was read from.
// Errors   Octets without it, of an earlier version too, have an empty one.
// Threads  Pure functions.
// Spec     docs/protocol.md, `callback` of a send
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/records/fields.h"

namespace stentor::daemon {

/// Behind an encoded Subject; nothing is written where there is no URL.
void append_callback(std::string_view url, FieldWriter& subject);
[[nodiscard]] std::string_view callback_of(std::span<const std::uint8_t> subject);

}  // namespace stentor::daemon
