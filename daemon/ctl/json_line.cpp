#include "daemon/ctl/json_line.h"

#include <fmt/format.h>

#include <iterator>

namespace stentor::ctl {

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    switch (c) {
      case '"': out.append("\\\""); break;
      case '\\': out.append("\\\\"); break;
      case '\n': out.append("\\n"); break;
      case '\r': out.append("\\r"); break;
      case '\t': out.append("\\t"); break;
      default:
        if (octet < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", octet);
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

void JsonLine::begin(std::string_view key) {
  if (text_.size() > 1) text_.push_back(',');
  append_quoted(text_, key);
  text_.push_back(':');
}

JsonLine& JsonLine::add(std::string_view key, std::string_view text) {
  begin(key);
  append_quoted(text_, text);
  return *this;
}

JsonLine& JsonLine::add(std::string_view key, std::int64_t number) {
  begin(key);
  text_.append(fmt::to_string(number));
  return *this;
}

JsonLine& JsonLine::add(std::string_view key, double number) {
  begin(key);
  // Three places: a rate of a thousandth a second is as good as none.
  fmt::format_to(std::back_inserter(text_), "{:.3f}", number);
  return *this;
}

JsonLine& JsonLine::add(std::string_view key, std::span<const std::string> texts) {
  begin(key);
  text_.push_back('[');
  for (bool first = true; const std::string& text : texts) {
    if (!first) text_.push_back(',');
    first = false;
    append_quoted(text_, text);
  }
  text_.push_back(']');
  return *this;
}

JsonLine& JsonLine::add_given(std::string_view key, std::string_view text) {
  return text.empty() ? *this : add(key, text);
}

JsonLine& JsonLine::add_json(std::string_view key, std::string_view json) {
  begin(key);
  text_.append(json);
  return *this;
}

}  // namespace stentor::ctl
