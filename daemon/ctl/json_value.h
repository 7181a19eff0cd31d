// A reply of the daemon as a plain tree, read tolerantly: a newer daemon says more than we know.
//
// Units    UTF-8.
// Owns     All its texts.
// Errors   parse() answers nullopt for what is not one JSON object; a getter whose field is missing
//          or of another kind answers its fallback.
// Threads  Plain values.
// Spec     RFC 8259.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stentor::ctl {

class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Object = std::vector<std::pair<std::string, JsonValue>>;  ///< in the order of the text
  using Any = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object>;

  JsonValue() = default;
  explicit JsonValue(Any is) : is_(std::move(is)) {}

  /// One object, as the protocol has it on each line.
  [[nodiscard]] static std::optional<JsonValue> parse(std::string_view line);

  [[nodiscard]] const JsonValue* find(std::string_view key) const;
  [[nodiscard]] std::string text(std::string_view key, std::string_view fallback = "") const;
  [[nodiscard]] std::int64_t number(std::string_view key, std::int64_t fallback = 0) const;
  [[nodiscard]] double fraction(std::string_view key, double fallback = 0) const;
  [[nodiscard]] bool flag(std::string_view key) const;
  [[nodiscard]] const Array& array(std::string_view key) const;       ///< empty when it is none
  [[nodiscard]] const JsonValue& object(std::string_view key) const;  ///< empty when it is none

  [[nodiscard]] const Array* as_array() const { return std::get_if<Array>(&is_); }
  [[nodiscard]] const Object* as_object() const { return std::get_if<Object>(&is_); }
  [[nodiscard]] const std::string* as_text() const { return std::get_if<std::string>(&is_); }

  /// A scalar as a person reads it; arrays and objects as JSON again.
  [[nodiscard]] std::string shown() const;

 private:
  Any is_ = nullptr;
};

}  // namespace stentor::ctl
