// Writing JSON into a string that is reused: what replies and events are made of.
//
// Threads  Pure functions.
// Spec     RFC 8259.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace stentor::daemon {

/// Appends `text` (valid UTF-8) in quotes, with what JSON demands escaped.
void append_json_string(std::string_view text, std::string& out);

inline void append_number(std::uint64_t value, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

/// Appends `,"key":"value"`, or `"key":…` right behind an opening brace. Keys need no escaping.
inline void append_key(std::string_view key, std::string& out) {
  if (out.back() != '{' && out.back() != '[') out.push_back(',');
  out.push_back('"');
  out.append(key);
  out.append("\":");
}
inline void append_member(std::string_view key, std::string_view value, std::string& out) {
  append_key(key, out);
  append_json_string(value, out);
}
inline void append_member(std::string_view key, std::uint64_t value, std::string& out) {
  append_key(key, out);
  append_number(value, out);
}

/// Appends octets of a peer's that may be anything: invalid UTF-8 and control characters become
/// `?`, and it is cut at `octets_max`.
void append_json_untrusted(std::string_view octets, std::size_t octets_max, std::string& out);

}  // namespace stentor::daemon
