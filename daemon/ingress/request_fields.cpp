#include "daemon/ingress/request_fields.h"

#include <fmt/format.h>

#include "daemon/ingress/timestamp.h"

namespace stentor::daemon {
namespace {

constexpr std::array<std::string_view, kFields> kNames = {
    "op",        "to",        "from",    "text",         "ref",         "campaign",
    "priority",  "meta",      "expires", "not_before",   "carrier",     "max_segments",
    "encoding",  "receipt",   "kind",    "replace",      "national",    "hours",
    "plan",      "uncertain", "flash",   "service_type", "protocol_id", "tlv",
    "callback",  "binary",    "udh",     "id",           "carrier_id",  "consumer",
    "types",     "cursor",    "action",  "name",         "as",          "client",
    "weight",    "rate",      "seconds", "lines",        "clear",       "message_id",
    "at_carrier"};

}  // namespace

std::optional<Field> field_of(std::string_view key) {
  for (std::size_t i = 0; i < kFields; ++i) {
    if (kNames[i] == key) return static_cast<Field>(i);
  }
  return std::nullopt;
}

std::string_view name_of(Field field) {
  return kNames[static_cast<std::size_t>(field)];
}

std::unexpected<Refusal> RequestFields::refuse(std::string_view code, std::string detail) const {
  const FieldValue& ref = value(Field::ref);
  return std::unexpected(Refusal{
      code, std::move(detail),
      ref.type == FieldValue::Type::text && ref.text.size() <= kRefOctetsMax ? std::string(ref.text)
                                                                             : std::string()});
}

std::expected<void, Refusal> RequestFields::allow_only(const FieldSet& allowed) const {
  for (std::size_t i = 0; i < kFields; ++i) {
    if (values_[i].type != FieldValue::Type::absent && !allowed.test(i)) {
      return refuse("unknown_field",
                    fmt::format("\"{}\" is not a field of this request", kNames[i]));
    }
  }
  return {};
}

std::expected<void, Refusal> RequestFields::read_text(Field field, std::string_view& out,
                                                      std::size_t octets_max) const {
  const FieldValue& found = value(field);
  if (found.type == FieldValue::Type::absent) return {};
  const std::string_view name = name_of(field);
  if (found.type != FieldValue::Type::text) {
    return refuse("bad_field", fmt::format("{}: must be a string", name));
  }
  if (found.text.size() > octets_max) {
    return refuse("bad_field", fmt::format("{}: longer than {} octets", name, octets_max));
  }
  out = found.text;
  return {};
}

std::expected<void, Refusal> RequestFields::read_time(Field field, TimeWish& out) const {
  // A hundred years: beyond it a number of seconds is surely a date in disguise.
  constexpr std::uint64_t kSecondsMax = 100ull * 366 * 86400;
  const FieldValue& found = value(field);
  const std::string_view name = name_of(field);
  if (found.type == FieldValue::Type::absent) return {};
  if (found.type == FieldValue::Type::text) {
    const auto at = parse_rfc3339(found.text);
    if (!at) return refuse("bad_time", fmt::format("{}: not an RFC 3339 time", name));
    out = {TimeWish::Form::at_ms, *at};
    return {};
  }
  if (found.type == FieldValue::Type::number && found.is_whole && found.whole <= kSecondsMax) {
    out = {TimeWish::Form::in_seconds, found.whole};
    return {};
  }
  return refuse("bad_time",
                fmt::format("{}: must be an RFC 3339 time or a number of seconds from now", name));
}

std::expected<void, Refusal> RequestFields::read_flag(Field field, bool& out) const {
  const FieldValue& found = value(field);
  if (found.type == FieldValue::Type::absent) return {};
  if (found.type != FieldValue::Type::boolean) {
    return refuse("bad_field", fmt::format("{}: must be true or false", name_of(field)));
  }
  out = found.flag;
  return {};
}

std::expected<void, Refusal> RequestFields::read_whole(Field field, std::uint64_t& out,
                                                       std::uint64_t least,
                                                       std::uint64_t most) const {
  const FieldValue& found = value(field);
  if (found.type == FieldValue::Type::absent) return {};
  if (found.type != FieldValue::Type::number || !found.is_whole || found.whole < least ||
      found.whole > most) {
    return refuse("bad_field", fmt::format("{}: must be a whole number from {} to {}",
                                           name_of(field), least, most));
  }
  out = found.whole;
  return {};
}

}  // namespace stentor::daemon
