// Composes send requests for the local socket, by the million: heads are patched, not printed.
//
// Units    Octets of UTF-8; a request is one line with its newline.
// Owns     The texts' lines, prepared once.
// Errors   A file that cannot be read, or that holds no text, throws std::runtime_error.
// Threads  One thread.
// Spec     docs/protocol.md, "send".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stentor::load {

struct RequestSettings {
  std::vector<std::string> texts{};  ///< taken in turn; one plain text when empty
  std::string from = "SHOP";
  std::string to_prefix = "79";  ///< numbers are the prefix and a count, 11 digits in all
  bool has_refs = true;
  std::string ref_prefix{};  ///< tells runs apart: a ref is good once
  std::string campaign{};
  std::string priority{};
};

/// The lines of a file without the empty ones.
[[nodiscard]] std::vector<std::string> read_texts(const std::string& file);

class RequestLines {
 public:
  explicit RequestLines(const RequestSettings& settings);

  /// Appends `count` requests to `out`, each with a number, and a ref, of its own.
  void append(std::string& out, std::uint64_t count);
  /// No line is longer.
  [[nodiscard]] std::size_t longest() const noexcept { return longest_; }

 private:
  std::string head_;        ///< {"to":"79000000000","ref":"…-0000000000",
  std::size_t to_end_ = 0;  ///< where the number's last digit is, and one on
  std::size_t to_digits_ = 0;
  std::size_t ref_end_ = 0;  ///< the same of the ref; 0 without refs
  std::vector<std::string> tails_;
  std::size_t next_tail_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace stentor::load
