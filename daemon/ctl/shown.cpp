#include "daemon/ctl/shown.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <ostream>

#include "daemon/ctl/json_value.h"

namespace stentor::ctl {
namespace {

struct Decoded {
  char32_t code_point;
  std::size_t octets;
};

// One character of UTF-8, or nullopt where none begins. RFC 3629.
std::optional<Decoded> decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return Decoded{.code_point = lead, .octets = 1};
  const std::size_t octets = lead >= 0xf0 && lead < 0xf5   ? 4
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                                                           : 0;
  if (octets == 0 || text.size() < octets) return std::nullopt;
  char32_t code_point = lead & (0xffU >> (octets + 1));
  for (std::size_t i = 1; i < octets; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0U) != 0x80) return std::nullopt;
    code_point = (code_point << 6U) | (next & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < kLeast[octets] || code_point > 0x10ffff || surrogate) return std::nullopt;
  return Decoded{.code_point = code_point, .octets = octets};
}

bool upsets_a_terminal(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f);
  const bool direction = c == 0x061c || c == 0x200e || c == 0x200f ||
                         (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  const bool line = c == 0x2028 || c == 0x2029;
  return control || direction || line;
}

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto decoded = decode(text);
    if (!decoded) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (upsets_a_terminal(decoded->code_point)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}",
                     static_cast<std::uint32_t>(decoded->code_point));
    } else {
      out.append(text.substr(0, decoded->octets));
    }
    text.remove_prefix(decoded->octets);
  }
  return out;
}

std::string grouped(std::int64_t number) {
  std::string digits = fmt::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string octets_shown(std::int64_t octets) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(octets);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0 || value >= 100) return fmt::format("{:.0f} {}", value, kUnits[unit]);
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string seconds_shown(double seconds) {
  if (!(seconds > 0)) return "0 s";
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::min(seconds, 1e15));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {} h", whole / 86400, whole / 3600 % 24);
}

std::string rate_shown(double per_second) {
  if (per_second <= 0) return "0/s";
  if (per_second < 10) return fmt::format("{:.1f}/s", per_second);
  return grouped(std::llround(per_second)) + "/s";
}

std::string_view cut(std::string_view text, std::size_t columns) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80;
    if (!begins) continue;
    if (columns == 0) return text.substr(0, at);
    --columns;
  }
  return text;
}

std::vector<std::string> Columns::lines() const {
  std::vector<std::size_t> widths(sides_.size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], characters_in(row[i]));
    }
  }
  std::vector<std::string> lines;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      const std::string padding(widths[i] - characters_in(row[i]), ' ');
      if (i > 0) line.append("  ");
      line.append(sides_[i] == Side::right ? padding + row[i] : row[i] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

void print(const Columns& columns, std::ostream& out) {
  for (const std::string& line : columns.lines()) out << line << '\n';
}

Columns members_shown(const JsonValue& object) {
  Columns columns({Columns::Side::left, Columns::Side::left});
  const auto* fields = object.as_object();
  if (fields == nullptr) return columns;
  for (const auto& [key, value] : *fields) {
    if (key == "status" || value.as_array() != nullptr) continue;
    columns.add({printable(key), printable(value.shown())});
  }
  return columns;
}

}  // namespace stentor::ctl
