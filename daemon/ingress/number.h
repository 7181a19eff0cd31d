// Destinations and senders as people write them, and as stentor keeps them.
//
// Kept form: an international number is `+` and digits, a short code is digits alone, anything else
// is an alphanumeric sender.
//
// Units    Digits; alphanumeric senders count GSM characters.
// Errors   Refusals are lower-case phrases fit to follow a colon; they never repeat the input.
// Threads  Pure functions.
// Spec     ITU-T E.164 (15 digits); TS 23.040 section 9.1.2.5 (11 alphanumeric characters).
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace stentor::daemon {

using NumberResult = std::expected<std::string, std::string_view>;

/// Spaces, `-`, `(`, `)` and `.` are stripped; optional `+` or `00`; 7 to 15 digits, none leading
/// 0.
[[nodiscard]] NumberResult normalise_destination(std::string_view text);
/// 3 to 8 digits.
[[nodiscard]] NumberResult normalise_short_code(std::string_view text);
/// A number, a short code, or up to 11 characters of the GSM alphabet that Latin-1 has too: SMPP
/// carries addresses as octets.
[[nodiscard]] NumberResult normalise_sender(std::string_view text);

/// How a kept sender or destination is written in an SMPP address: without `+`, Latin-1.
[[nodiscard]] std::string to_wire(std::string_view kept);
/// And back, to be shown: Latin-1 to UTF-8.
[[nodiscard]] std::string to_utf8(std::string_view wire);

}  // namespace stentor::daemon
