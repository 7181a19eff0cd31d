// RFC 3339 times, in and out.
//
// Units    Milliseconds of Unix time.
// Errors   Text that is no such time, or lies before 1970 or after 9999, is an ordinary "no".
// Threads  Pure functions.
// Spec     RFC 3339 section 5.6; a leap second counts as the second after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stentor::daemon {

[[nodiscard]] std::optional<std::uint64_t> parse_rfc3339(std::string_view text);

/// Appends "2026-11-21T02:08:51.123Z".
void append_rfc3339(std::uint64_t time_ms, std::string& out);
/// The same in quotes as a member of a JSON object, as append_member (json.h) does.
void append_time(std::string_view key, std::uint64_t time_ms, std::string& out);

}  // namespace stentor::daemon
