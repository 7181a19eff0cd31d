// A TOML document as a plain tree in which every key and value knows its line.
//
// Owns     All its texts; nothing refers back to the input.
// Errors   The parser's own first complaint, with its line: TOML cannot be read on past one.
// Threads  Plain values.
// Spec     TOML 1.0.0. Dates and floats are kept as Other: no key of ours takes one.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stentor::daemon::config_file {

struct Value;
struct Entry;
using Array = std::vector<Value>;
using Table = std::vector<Entry>;  ///< in the order of the lines

/// A float, date or time.
struct Other {};

struct Value {
  std::uint32_t line = 0;
  std::variant<Other, bool, std::int64_t, std::string, Array, Table> is;
};

struct Entry {
  std::string key;
  std::uint32_t line = 0;
  Value value;
};

struct SyntaxMistake {
  std::uint32_t line = 0;
  std::string what;
};

[[nodiscard]] std::expected<Table, SyntaxMistake> parse_document(std::string_view text);

/// What a reader calls it: "a text", "a number", "true or false", ...
[[nodiscard]] std::string_view kind_of(const Value& value);

}  // namespace stentor::daemon::config_file
