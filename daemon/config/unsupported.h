// Keys of the contract whose function is not built yet.
//
// They are refused with a plain word instead of being accepted and ignored. Whoever builds the
// function deletes the line, adds the key to its reader, and the tests tell whether both happened.
//
// Threads  Pure functions over a constant table.
#pragma once

#include <string_view>

#include "daemon/config/document.h"

namespace stentor::daemon::config_file {

struct Unsupported {
  std::string_view section;  ///< carrier, route, client
  std::string_view key;      ///< below a table with a dot: carriers.weight
  std::string_view allowed;  ///< the one value that asks for nothing, as written; empty: none
  std::string_view what;     ///< the function that is missing
};

/// nullptr when the key may be used.
[[nodiscard]] const Unsupported* find_unsupported(std::string_view section, std::string_view key);

/// True when `value` is the one that asks for nothing.
[[nodiscard]] bool asks_for_nothing(const Unsupported& entry, const Value& value);

}  // namespace stentor::daemon::config_file
