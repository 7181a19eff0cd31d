// Patterns of names in the configuration: senders and campaigns.
//
// Threads  A pure function.
#pragma once

#include <string_view>

namespace stentor::daemon {

/// Equal, or with a `*` at the pattern's end: begins with what stands before it. The `+` of numbers
/// is passed over on both sides: "+7916*" and "7916*" are one pattern.
[[nodiscard]] constexpr bool matches_name(std::string_view pattern,
                                          std::string_view name) noexcept {
  if (pattern.starts_with('+')) pattern.remove_prefix(1);
  if (name.starts_with('+')) name.remove_prefix(1);
  if (pattern.ends_with('*')) {
    pattern.remove_suffix(1);
    return name.starts_with(pattern);
  }
  return name == pattern;
}

}  // namespace stentor::daemon
