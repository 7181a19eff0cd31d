// What `top` shows: two answers of `status` and the time between them, as text.
//
// Units    Rates a second over the time between the two answers.
// Errors   None but std::bad_alloc.
// Threads  Pure functions: no clock, no terminal.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "daemon/ctl/status.h"

namespace stentor::ctl {

struct Sample {
  std::chrono::steady_clock::time_point at;
  Status status;
};

/// How fast a count grew. A count that fell began anew (the daemon was restarted): 0.
[[nodiscard]] double per_second(std::int64_t before, std::int64_t now,
                                std::chrono::duration<double> between);

/// The screen, line by line; the terminal cuts what is too wide.
[[nodiscard]] std::vector<std::string> top_screen(const Sample& before, const Sample& now);

/// One line for a log or a pipe.
[[nodiscard]] std::string top_line(const Sample& before, const Sample& now);

/// One JSON object, without a line end.
[[nodiscard]] std::string top_json(const Sample& before, const Sample& now);

}  // namespace stentor::ctl
