// Writes one JSON object as one line: what the protocol takes as a request.
//
// Units    UTF-8 in, UTF-8 out. What is not UTF-8 goes as it is: the daemon says so, with a code.
// Errors   None but std::bad_alloc.
// Threads  Plain values.
// Spec     RFC 8259 section 7.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace stentor::ctl {

/// In quotes, with what JSON wants escaped escaped.
void append_quoted(std::string& out, std::string_view text);

class JsonLine {
 public:
  JsonLine& add(std::string_view key, std::string_view text);
  JsonLine& add(std::string_view key, std::int64_t number);
  JsonLine& add(std::string_view key, double number);
  JsonLine& add(std::string_view key, std::span<const std::string> texts);
  /// A text that is left out when it is empty.
  JsonLine& add_given(std::string_view key, std::string_view text);
  /// A value that is JSON already.
  JsonLine& add_json(std::string_view key, std::string_view json);

  [[nodiscard]] std::string object() const { return text_ + '}'; }
  /// The object and its line end.
  [[nodiscard]] std::string line() const { return text_ + "}\n"; }

 private:
  void begin(std::string_view key);
  std::string text_ = "{";
};

}  // namespace stentor::ctl
