// The only file of stentorctl that sees simdjson: its header takes seconds to compile.
#include "daemon/ctl/json_value.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <iterator>

#include "daemon/ctl/json_line.h"

namespace stentor::ctl {
namespace {

namespace dom = simdjson::dom;

JsonValue plain(const dom::element& element) {
  switch (element.type()) {
    case dom::element_type::ARRAY: {
      JsonValue::Array values;
      for (const dom::element each : dom::array(element)) values.push_back(plain(each));
      return JsonValue(std::move(values));
    }
    case dom::element_type::OBJECT: {
      JsonValue::Object fields;
      for (const auto& [key, value] : dom::object(element)) {
        fields.emplace_back(key, plain(value));
      }
      return JsonValue(std::move(fields));
    }
    case dom::element_type::STRING: return JsonValue(std::string(std::string_view(element)));
    case dom::element_type::INT64: return JsonValue(std::int64_t(element));
    case dom::element_type::UINT64:  // only what no int64 holds comes as one
    case dom::element_type::DOUBLE: return JsonValue(double(element));
    case dom::element_type::BOOL: return JsonValue(bool(element));
    case dom::element_type::NULL_VALUE: return {};
  }
  return {};
}

}  // namespace

std::optional<JsonValue> JsonValue::parse(std::string_view line) {
  dom::parser parser;
  dom::element element;
  if (parser.parse(line.data(), line.size()).get(element) != simdjson::SUCCESS) return std::nullopt;
  if (!element.is_object()) return std::nullopt;
  return plain(element);
}

const JsonValue* JsonValue::find(std::string_view key) const {
  const auto* fields = as_object();
  if (fields == nullptr) return nullptr;
  for (const auto& [name, value] : *fields) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string JsonValue::text(std::string_view key, std::string_view fallback) const {
  const JsonValue* found = find(key);
  const auto* text = found == nullptr ? nullptr : found->as_text();
  return text == nullptr ? std::string(fallback) : *text;
}

std::int64_t JsonValue::number(std::string_view key, std::int64_t fallback) const {
  const JsonValue* found = find(key);
  if (found == nullptr) return fallback;
  if (const auto* number = std::get_if<std::int64_t>(&found->is_)) return *number;
  if (const auto* number = std::get_if<double>(&found->is_)) {
    // A double past int64 is no count; casting it would be undefined.
    if (*number > -9e18 && *number < 9e18) return static_cast<std::int64_t>(*number);
  }
  return fallback;
}

double JsonValue::fraction(std::string_view key, double fallback) const {
  const JsonValue* found = find(key);
  if (found == nullptr) return fallback;
  if (const auto* number = std::get_if<double>(&found->is_)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&found->is_)) {
    return static_cast<double>(*number);
  }
  return fallback;
}

bool JsonValue::flag(std::string_view key) const {
  const JsonValue* found = find(key);
  const auto* flag = found == nullptr ? nullptr : std::get_if<bool>(&found->is_);
  return flag != nullptr && *flag;
}

const JsonValue::Array& JsonValue::array(std::string_view key) const {
  static const Array none;
  const JsonValue* found = find(key);
  const auto* array = found == nullptr ? nullptr : found->as_array();
  return array == nullptr ? none : *array;
}

const JsonValue& JsonValue::object(std::string_view key) const {
  static const JsonValue none;
  const JsonValue* found = find(key);
  return found == nullptr || found->as_object() == nullptr ? none : *found;
}

namespace {

std::string as_json(const JsonValue& value);

std::string joined(const JsonValue::Array& values) {
  std::string out = "[";
  for (const JsonValue& value : values) {
    if (out.size() > 1) out.push_back(',');
    out.append(as_json(value));
  }
  return out.append("]");
}

std::string joined(const JsonValue::Object& fields) {
  std::string out = "{";
  for (const auto& [key, value] : fields) {
    if (out.size() > 1) out.push_back(',');
    append_quoted(out, key);
    out.append(":").append(as_json(value));
  }
  return out.append("}");
}

std::string as_json(const JsonValue& value) {
  if (const auto* text = value.as_text()) {
    std::string out;
    append_quoted(out, *text);
    return out;
  }
  return value.shown();
}

}  // namespace

std::string JsonValue::shown() const {
  if (const auto* flag = std::get_if<bool>(&is_)) return *flag ? "yes" : "no";
  if (const auto* number = std::get_if<std::int64_t>(&is_)) return fmt::to_string(*number);
  if (const auto* number = std::get_if<double>(&is_)) return fmt::format("{:g}", *number);
  if (const auto* text = as_text()) return *text;
  if (const auto* array = as_array()) return joined(*array);
  if (const auto* object = as_object()) return joined(*object);
  return "-";
}

}  // namespace stentor::ctl
