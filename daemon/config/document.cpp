// The only file that sees toml++: its headers take seconds to compile.
#include "daemon/config/document.h"

#include <toml++/toml.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace stentor::daemon::config_file {
namespace {

Value plain(const toml::node& node);

Table plain(const toml::table& table) {
  Table entries;
  entries.reserve(table.size());
  for (const auto& [key, node] : table) {
    entries.push_back(
        {.key = std::string(key.str()), .line = key.source().begin.line, .value = plain(node)});
  }
  // toml++ sorts by name; a reader of mistakes goes down the file.
  std::ranges::sort(entries, {},
                    [](const Entry& entry) { return std::tie(entry.line, entry.key); });
  return entries;
}

Value plain(const toml::node& node) {
  Value value;
  value.line = node.source().begin.line;
  if (const auto* table = node.as_table()) {
    value.is = plain(*table);
  } else if (const auto* array = node.as_array()) {
    Array values;
    values.reserve(array->size());
    for (const auto& element : *array) values.push_back(plain(element));
    value.is = std::move(values);
  } else if (const auto* text = node.as_string()) {
    value.is = text->get();
  } else if (const auto* number = node.as_integer()) {
    value.is = number->get();
  } else if (const auto* flag = node.as_boolean()) {
    value.is = flag->get();
  }
  return value;
}

}  // namespace

std::expected<Table, SyntaxMistake> parse_document(std::string_view text) {
  try {
    return plain(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return std::unexpected(
        SyntaxMistake{.line = error.source().begin.line, .what = std::string(error.description())});
  }
}

std::string_view kind_of(const Value& value) {
  switch (value.is.index()) {
    case 1: return "true or false";
    case 2: return "a number";
    case 3: return "a text";
    case 4: return "an array";
    case 5: return "a table";
    default: return "a date or a fraction";
  }
}

}  // namespace stentor::daemon::config_file
