// Counts the replies in what the daemon's socket brings, without parsing JSON.
//
// Each reply is one line. What matters is found by its text: replies that are accepted look alike,
// so the word is looked for first where the last line had it.
//
// Units    Replies; octets.
// Owns     The front of a line that has not ended yet.
// Errors   A line that says neither accepted, duplicate nor rejected counts under "unreadable".
// Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace stentor::load {

class ReplyScanner {
 public:
  /// Answers how many replies ended in `octets`.
  std::size_t on_octets(std::string_view octets);

  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }
  /// By the error's code; few are known, so few are kept.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& rejected() const noexcept {
    return rejected_;
  }

 private:
  void on_line(std::string_view line);
  void on_other_line(std::string_view line);

  std::string unfinished_;
  std::size_t status_at_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t duplicates_ = 0;
  std::map<std::string, std::uint64_t> rejected_;
};

}  // namespace stentor::load
