// How figures and texts look on a terminal.
//
// Units    Octets, seconds and counts as the parameter's name says.
// Errors   None but std::bad_alloc.
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace stentor::ctl {

/// A text from outside, fit for a terminal: controls, what turns the direction of writing and what
/// is not UTF-8 are shown by their code, so that no carrier's answer moves our cursor.
[[nodiscard]] std::string printable(std::string_view text);

/// 1234567 as "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t number);
/// "118 MiB", "1.2 GiB".
[[nodiscard]] std::string octets_shown(std::int64_t octets);
/// "4.2 s", "3 min 20 s", "5 h 12 min", "3 d 4 h".
[[nodiscard]] std::string seconds_shown(double seconds);
/// "12,345/s", "0.5/s", "0/s".
[[nodiscard]] std::string rate_shown(double per_second);

/// Columns as wide as their widest cell. Cells are padded by characters, not octets.
class Columns {
 public:
  enum class Side : std::uint8_t { left, right };

  /// The first row is the heading; `sides` says where each column's text stands.
  explicit Columns(std::vector<Side> sides) : sides_(std::move(sides)) {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// One line for each row; two spaces between columns, none at a line's end.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<Side> sides_;
  std::vector<std::vector<std::string>> rows_;
};

void print(const Columns& columns, std::ostream& out);

class JsonValue;
/// What an object says of itself, a member a line; its status and its lists left out.
[[nodiscard]] Columns members_shown(const JsonValue& object);

/// The first characters of a text, at most `columns`, without cutting one in two.
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t columns);

}  // namespace stentor::ctl
