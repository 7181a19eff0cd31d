#include "daemon/config/unsupported.h"

#include <array>
#include <string>

namespace stentor::daemon::config_file {
namespace {

constexpr std::array kUnsupported{
    Unsupported{"client", "rate", "0", "a rate per client"},
    Unsupported{"client", "max_waiting", "", "a bound on one client's waiting messages"},
};

}  // namespace

const Unsupported* find_unsupported(std::string_view section, std::string_view key) {
  for (const Unsupported& entry : kUnsupported) {
    if (entry.section == section && entry.key == key) return &entry;
  }
  return nullptr;
}

bool asks_for_nothing(const Unsupported& entry, const Value& value) {
  if (entry.allowed.empty()) return false;
  if (const auto* flag = std::get_if<bool>(&value.is)) {
    return entry.allowed == (*flag ? "true" : "false");
  }
  if (const auto* number = std::get_if<std::int64_t>(&value.is)) {
    return entry.allowed == std::to_string(*number);
  }
  if (const auto* text = std::get_if<std::string>(&value.is)) return entry.allowed == *text;
  if (const auto* array = std::get_if<Array>(&value.is)) {
    return entry.allowed == "[]" && array->empty();
  }
  return false;
}

}  // namespace stentor::daemon::config_file
