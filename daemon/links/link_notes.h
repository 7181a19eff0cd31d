// What went wrong on a link: the log hears of it, and the latest are kept for whoever asks.
//
// Units    Times are milliseconds of Unix time.
// Owns     The texts of the latest.
// Threads  The shard's thread.
// Spec     reliability.md P8: at most 10 lines a second for each bind, the rest counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "daemon/links/line_limiter.h"

namespace stentor::daemon {

/// What went wrong on a link, and when.
struct LinkError {
  std::uint64_t time_ms = 0;
  std::string what;
};

class LinkNotes {
 public:
  /// `link`: how the log names it, "carrier north bind 0".
  explicit LinkNotes(std::string link) : link_(std::move(link)) {}

  /// A warning is for what an operator may have to act on; else it is said for the record.
  void add(std::string what, bool is_warning);
  /// All is well again: the latest is no longer what holds the link up.
  void clear_last() { last_.clear(); }
  [[nodiscard]] const std::string& last() const noexcept { return last_; }
  /// The latest, oldest first.
  [[nodiscard]] std::vector<LinkError> all() const { return {errors_.begin(), errors_.end()}; }

 private:
  // What an operator looks at after a bad night; each is a line of text.
  static constexpr std::size_t kKept = 8;
  std::string link_;
  std::string last_;
  std::deque<LinkError> errors_;
  LineLimiter limit_;
};

}  // namespace stentor::daemon
