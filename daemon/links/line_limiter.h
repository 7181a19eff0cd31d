// Keeps a link from flooding the log: so many lines a second, the rest counted.
//
// Units    Lines; time is steady_clock, passed in.
// Threads  One thread.
// Spec     reliability.md P8: at most 10 lines a second for each bind, the rest counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace stentor::daemon {

class LineLimiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// How many lines were left out since the last one that was let through; nothing when this one is
  /// to be left out too.
  [[nodiscard]] std::optional<std::uint64_t> let_through(TimePoint now) noexcept {
    if (now - second_begin_ >= std::chrono::seconds(1)) {
      second_begin_ = now;
      lines_ = 0;
    }
    if (lines_ == kLinesPerSecond) {
      ++left_out_;
      return std::nullopt;
    }
    ++lines_;
    return std::exchange(left_out_, 0);
  }

 private:
  static constexpr std::uint32_t kLinesPerSecond = 10;
  TimePoint second_begin_{};
  std::uint32_t lines_ = 0;
  std::uint64_t left_out_ = 0;
};

/// The line as the log has it, with how many were left out before.
[[nodiscard]] inline std::string with_left_out(std::string line, std::uint64_t left_out) {
  if (left_out > 0) line += " (" + std::to_string(left_out) + " lines left out before)";
  return line;
}

}  // namespace stentor::daemon
