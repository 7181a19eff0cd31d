#include "daemon/ingress/hours_wish.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "daemon/hours/open_hours.h"

namespace stentor::daemon {
namespace {

// The longest name in the tz database has 32 octets.
constexpr std::size_t kZoneOctetsMax = 64;

}  // namespace

std::expected<std::optional<HoursWish>, Refusal> read_hours(const RequestFields& fields) {
  const FieldValue& value = fields.value(Field::hours);
  if (value.type == FieldValue::Type::absent) return std::nullopt;
  if (value.type != FieldValue::Type::other) {
    return fields.refuse("bad_field", "hours: must be an object");
  }
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(value.text.data(), value.text.size()).get(object) != simdjson::SUCCESS) {
    return fields.refuse("bad_json", "hours: not a JSON object");
  }
  HoursWish wish;
  std::optional<std::uint16_t> from;
  std::optional<std::uint16_t> to;
  for (const auto& [key, found] : object) {
    std::string_view text;
    if (found.get(text) != simdjson::SUCCESS) {
      return fields.refuse("bad_field", "hours: its members are strings");
    }
    if (key == "from" || key == "to") {
      auto& minute = key == "from" ? from : to;
      if (minute) return fields.refuse("bad_field", fmt::format("hours.{}: is given twice", key));
      minute = parse_minute(text);
      if (!minute) {
        return fields.refuse("bad_field",
                             fmt::format("hours.{}: must be a time of day such as 09:00", key));
      }
    } else if (key == "zone") {
      // `@` is how regions are kept; nobody's zone is called so.
      if (text.empty() || text.size() > kZoneOctetsMax || text.front() == '@') {
        return fields.refuse("bad_field", "hours.zone: not a zone");
      }
      wish.zone = text;
    } else {
      return fields.refuse("unknown_field",
                           fmt::format("\"hours.{}\" is not a field", key.substr(0, 64)));
    }
  }
  if (!from || !to) return fields.refuse("bad_field", "hours: from and to are needed");
  if (*from % kMinutesADay == *to % kMinutesADay) {
    return fields.refuse("bad_field", "hours: from and to are the same time");
  }
  wish.from = *from;
  wish.to = *to;
  return wish;
}

}  // namespace stentor::daemon
