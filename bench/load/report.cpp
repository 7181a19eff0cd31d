#include "bench/load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace stentor::load {
namespace {

std::string with_thousands(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

// "ack latency p99" is ack_latency_p99 for programs, "accepted/s" accepted_per_second. What stands
// behind a comma or in brackets is for people.
std::string json_name_of(std::string_view name) {
  name = name.substr(0, name.find_first_of(",("));
  while (name.ends_with(' ')) name.remove_suffix(1);
  std::string out;
  for (const char c : name) {
    if (c == '/') {
      out += "_per_";
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      out += c;
    } else if (!out.ends_with('_')) {
      out += '_';
    }
  }
  if (out.ends_with("_per_s")) out += "econd";
  return out;
}

std::string quoted(std::string_view text) {
  std::string out;
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  out += '"';
  return out;
}

}  // namespace

void Report::count(std::string_view name, std::uint64_t value) {
  figures_.push_back(
      {std::string(name), with_thousands(value), json_name_of(name), std::to_string(value)});
}

void Report::number(std::string_view name, double value, std::string_view unit) {
  std::string shown = value >= 1000
                          ? with_thousands(static_cast<std::uint64_t>(std::llround(value)))
                          : fmt::format("{:.3g}", value);
  if (!unit.empty()) fmt::format_to(std::back_inserter(shown), " {}", unit);
  figures_.push_back({std::string(name), shown, json_name_of(name) + (unit == "MiB" ? "_mib" : ""),
                      fmt::format("{:.6g}", value)});
}

void Report::latency(std::string_view name, std::chrono::nanoseconds value) {
  const double seconds = std::chrono::duration<double>(value).count();
  figures_.push_back({std::string(name), fmt::format("{:.3f} ms", seconds * 1e3),
                      json_name_of(name) + "_seconds", fmt::format("{:.9f}", seconds)});
}

void Report::text(std::string_view name, std::string_view value) {
  figures_.push_back({std::string(name), std::string(value), json_name_of(name), quoted(value)});
}

void Report::note(std::string text) {
  notes_.push_back(std::move(text));
}

std::string Report::to_table() const {
  std::size_t widest = 0;
  std::size_t widest_shown = 0;
  for (const Figure& figure : figures_) {
    widest = std::max(widest, figure.name.size());
    widest_shown = std::max(widest_shown, figure.shown.size());
  }
  std::string out;
  for (const Figure& figure : figures_) {
    fmt::format_to(std::back_inserter(out), "{:<{}}  {:>{}}\n", figure.name, widest, figure.shown,
                   widest_shown);
  }
  for (const std::string& text : notes_) {
    fmt::format_to(std::back_inserter(out), "* {}\n", text);
  }
  return out;
}

std::string Report::to_json() const {
  std::string out = "{";
  for (const Figure& figure : figures_) {
    fmt::format_to(std::back_inserter(out), "{}:{},", quoted(figure.json_name), figure.json);
  }
  out += R"("notes":[)";
  for (const std::string& text : notes_) {
    if (!out.ends_with('[')) out += ',';
    out += quoted(text);
  }
  return out + "]}";
}

}  // namespace stentor::load
