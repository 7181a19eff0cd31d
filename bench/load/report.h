// Figures with their names, as a table for people and as JSON for programs.
//
// Owns     Its texts.
// Threads  Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stentor::load {

class Report {
 public:
  void count(std::string_view name, std::uint64_t value);
  /// Shown with three significant decimals in the table.
  void number(std::string_view name, double value, std::string_view unit);
  /// Milliseconds in the table, seconds in JSON under name + "_seconds".
  void latency(std::string_view name, std::chrono::nanoseconds value);
  void text(std::string_view name, std::string_view value);
  /// How something was measured: below the table, and under "notes" in JSON.
  void note(std::string text);

  [[nodiscard]] std::string to_table() const;
  [[nodiscard]] std::string to_json() const;

 private:
  struct Figure {
    std::string name;
    std::string shown;
    std::string json_name;
    std::string json;
  };
  std::vector<Figure> figures_;
  std::vector<std::string> notes_;
};

}  // namespace stentor::load
