// The fields of one request as they stood in its line, and how a request reads them.
//
// The parser fills it; what a request is made of is read by that request's own file,
// NAME_request.cpp, or by the parser where it is a field or two.
//
// Units    Octets.
// Owns     Nothing: texts view the parser's memory until it parses the next line.
// Errors   Refusal, with the request's `ref` where it could be read.
// Threads  One thread.
// Spec     docs/protocol.md
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/ingress/request.h"

namespace stentor::daemon {

/// Every field of every request, in the order of how often it comes.
enum class Field : std::uint8_t {
  op,
  to,
  from,
  text,
  ref,
  campaign,
  priority,
  meta,
  expires,
  not_before,
  carrier,
  max_segments,
  encoding,
  receipt,
  kind,
  replace,
  national,
  hours,
  plan,
  uncertain,
  flash,
  service_type,
  protocol_id,
  tlv,
  callback,
  binary,
  udh,
  id,
  carrier_id,
  consumer,
  types,
  cursor,
  action,
  name,
  as,
  client,
  weight,
  rate,
  seconds,
  lines,
  clear,
  message_id,
  at_carrier,
  count
};
constexpr auto kFields = static_cast<std::size_t>(Field::count);

[[nodiscard]] std::optional<Field> field_of(std::string_view key);
[[nodiscard]] std::string_view name_of(Field field);

using FieldSet = std::bitset<kFields>;

template <class... Fields>
[[nodiscard]] FieldSet set_of(Fields... fields) {
  FieldSet set;
  (set.set(static_cast<std::size_t>(fields)), ...);
  return set;
}

/// One value as it stood in the line.
struct FieldValue {
  enum class Type : std::uint8_t { absent, text, number, boolean, null, list, other };
  Type type = Type::absent;
  bool is_whole = false;  // a number without fraction, not negative
  bool flag = false;      // of a boolean
  std::uint64_t whole = 0;
  std::string_view text;       // a string; or an object's own octets
  std::size_t list_begin = 0;  // a list of strings: its stretch of the parser's list
  std::size_t list_end = 0;
  bool is_string_list = false;
};

/// What a detail says of a field or value that belongs to the protocol and is not built yet.
inline constexpr std::string_view kNotYet = "is not supported by this version";

class RequestFields {
 public:
  static constexpr std::size_t kRefOctetsMax = 64;

  [[nodiscard]] const FieldValue& value(Field field) const {
    return values_[static_cast<std::size_t>(field)];
  }
  [[nodiscard]] bool has(Field field) const {
    return value(field).type != FieldValue::Type::absent;
  }
  /// A member of a list of strings: FieldValue::list_begin up to list_end.
  [[nodiscard]] std::string_view listed(std::size_t index) const { return list_[index]; }

  [[nodiscard]] std::unexpected<Refusal> refuse(std::string_view code, std::string detail) const;
  /// Refuses every field that is there and not in `allowed`.
  [[nodiscard]] std::expected<void, Refusal> allow_only(const FieldSet& allowed) const;

  // Each leaves `out` as it was when the field is absent.
  [[nodiscard]] std::expected<void, Refusal> read_text(Field field, std::string_view& out,
                                                       std::size_t octets_max) const;
  [[nodiscard]] std::expected<void, Refusal> read_time(Field field, TimeWish& out) const;
  [[nodiscard]] std::expected<void, Refusal> read_flag(Field field, bool& out) const;
  /// A whole number within both bounds.
  [[nodiscard]] std::expected<void, Refusal> read_whole(Field field, std::uint64_t& out,
                                                        std::uint64_t least,
                                                        std::uint64_t most) const;

 protected:
  std::array<FieldValue, kFields> values_;
  std::vector<std::string_view> list_;
};

}  // namespace stentor::daemon
