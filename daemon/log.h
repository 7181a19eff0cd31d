// The daemon's log: lines that an operator reads. Where they go and how they look is log.cpp's.
//
// Units    A line a call, without its end.
// Owns     Nothing; the logger lives as long as the process.
// Threads  Any.
//
// It names no logging library, nor all of a formatting one: each file that logs would else compile
// both.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace stentor::daemon::log {

enum class Level : std::uint8_t { info, warn, error, critical };

/// Lines of `least` and graver go to standard error, dated, from now on; before, to standard
/// output. `least` is a level's name as --log-level takes it.
void to_stderr(const std::string& least);

void write(Level level, std::string_view line);

template <class... Values>
void info(fmt::format_string<Values...> form, Values&&... values) {
  write(Level::info, fmt::format(form, std::forward<Values>(values)...));
}
template <class... Values>
void warn(fmt::format_string<Values...> form, Values&&... values) {
  write(Level::warn, fmt::format(form, std::forward<Values>(values)...));
}
template <class... Values>
void error(fmt::format_string<Values...> form, Values&&... values) {
  write(Level::error, fmt::format(form, std::forward<Values>(values)...));
}
template <class... Values>
void critical(fmt::format_string<Values...> form, Values&&... values) {
  write(Level::critical, fmt::format(form, std::forward<Values>(values)...));
}

}  // namespace stentor::daemon::log
