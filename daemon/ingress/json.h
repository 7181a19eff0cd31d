// Writing JSON into a string that is reused: what replies and events are made of.
//
// Threads  Pure functions.
// Spec     RFC 8259.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace stentor::daemon {

/// Makes room for `octets` more behind `out` and answers where they begin: one look at its memory
/// for all that is written there.
inline char* extend(std::string& out, std::size_t octets) {
  const std::size_t before = out.size();
  // Not the size it is called with: libstdc++ 12.2 hands over the capacity when it had to grow.
  out.resize_and_overwrite(before + octets,
                           [size = before + octets](char*, std::size_t) { return size; });
  return out.data() + before;
}

/// Appends `text` (valid UTF-8) in quotes, with what JSON demands escaped.
void append_json_string(std::string_view text, std::string& out);

inline void append_number(std::uint64_t value, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

/// Appends `,"key":"value"`, or `"key":…` right behind an opening brace. Keys need no escaping.
inline void append_key(std::string_view key, std::string& out) {
  const bool is_first = out.back() == '{' || out.back() == '[';
  char* at = extend(out, key.size() + (is_first ? 3 : 4));
  if (!is_first) *at++ = ',';
  *at++ = '"';
  std::memcpy(at, key.data(), key.size());
  at[key.size()] = '"';
  at[key.size() + 1] = ':';
}
/// The same for a word of our own, which needs no escaping.
inline void append_plain(std::string_view key, std::string_view word, std::string& out) {
  append_key(key, out);
  char* at = extend(out, word.size() + 2);
  *at++ = '"';
  std::memcpy(at, word.data(), word.size());
  at[word.size()] = '"';
}
inline void append_member(std::string_view key, std::string_view value, std::string& out) {
  append_key(key, out);
  append_json_string(value, out);
}
inline void append_member(std::string_view key, std::uint64_t value, std::string& out) {
  append_key(key, out);
  append_number(value, out);
}

/// Appends `,"key":[`, as append_key does.
inline void open_list(std::string_view key, std::string& out) {
  append_key(key, out);
  out.push_back('[');
}
/// Opens the next object of a list: `{`, behind a comma if another one is there.
inline void open_object(std::string& out) {
  if (out.back() != '[') out.push_back(',');
  out.push_back('{');
}

/// Appends octets of a peer's that may be anything: invalid UTF-8 and control characters become
/// `?`, and it is cut at `octets_max`.
void append_json_untrusted(std::string_view octets, std::size_t octets_max, std::string& out);

}  // namespace stentor::daemon
