// The texts a command works on: one from the command line, or the lines of a file.
//
// Units    UTF-8; a line without its end. Empty lines are skipped.
// Owns     The open file; standard input stays the caller's.
// Errors   A file that cannot be opened or read: Exit::usage with its name.
// Threads  One thread.
#pragma once

#include <cstdint>
#include <fstream>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/outcome.h"

namespace stentor::ctl {

class Texts {
 public:
  /// A request line may be 64 KiB; a text longer than that fits none.
  static constexpr std::size_t kTextOctetsMax = 65536;

  [[nodiscard]] static result<Texts> open(const TextSource& source, std::istream& standard_input);

  /// The next text, or nullopt after the last.
  [[nodiscard]] result<std::optional<std::string>> next();

  /// The line the last text came from; 1 for a text of the command line.
  [[nodiscard]] std::uint64_t line() const { return line_; }
  /// True when there is exactly one text by its nature, not a list that happens to hold one.
  [[nodiscard]] bool is_single() const { return in_ == nullptr; }

 private:
  std::optional<std::string> single_;
  std::unique_ptr<std::ifstream> file_;
  std::istream* in_ = nullptr;
  std::string name_;
  std::uint64_t line_ = 0;
};

}  // namespace stentor::ctl
