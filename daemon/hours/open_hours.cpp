#include "daemon/hours/open_hours.h"

#include <fmt/format.h>
#include <unicode/basictz.h>
#include <unicode/strenum.h>
#include <unicode/timezone.h>
#include <unicode/tztrans.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <vector>

namespace stentor::daemon {
namespace {

constexpr double kMinuteMs = 60'000;
constexpr double kDayMs = 86'400'000;
// Anybody's window opens once a day; a change of the clock can put it off by one more.
constexpr int kDaysAhead = 2;
// Zones and windows come from requests: a client that invents a new one for each message makes us
// work, not grow.
constexpr std::size_t kZonesMax = 1024;
constexpr std::size_t kStretchesMax = 4096;

using Zone = std::unique_ptr<icu::TimeZone>;
using Zones = std::vector<Zone>;

Zones zones_of(std::string_view name) {
  Zones zones;
  const auto add = [&](const icu::UnicodeString& id) {
    Zone zone(icu::TimeZone::createTimeZone(id));
    if (zone && *zone != icu::TimeZone::getUnknown()) zones.push_back(std::move(zone));
  };
  if (!name.starts_with('@')) {
    add(icu::UnicodeString::fromUTF8({name.data(), static_cast<std::int32_t>(name.size())}));
    return zones;
  }
  for (std::string_view rest = name.substr(1); !rest.empty();) {
    const std::string region(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.size(), region.size() + 1));
    UErrorCode error = U_ZERO_ERROR;
    const std::unique_ptr<icu::StringEnumeration> ids(icu::TimeZone::createTimeZoneIDEnumeration(
        UCAL_ZONE_TYPE_CANONICAL_LOCATION, region.c_str(), nullptr, error));
    if (U_FAILURE(error) || !ids) continue;
    for (const auto* id = ids->snext(error); id != nullptr && U_SUCCESS(error);
         id = ids->snext(error)) {
      add(*id);
    }
  }
  return zones;
}

double offset_of(const icu::TimeZone& zone, double at) {
  std::int32_t raw = 0;
  std::int32_t saving = 0;
  UErrorCode error = U_ZERO_ERROR;
  zone.getOffset(at, static_cast<UBool>(false), raw, saving, error);
  return U_FAILURE(error) ? 0 : raw + saving;
}

bool is_open(const icu::TimeZone& zone, const Hours& hours, double at) {
  const double local = at + offset_of(zone, at);
  const double of_day = local - std::floor(local / kDayMs) * kDayMs;
  const auto minute = static_cast<std::uint16_t>(of_day / kMinuteMs);
  if (hours.from < hours.to) return minute >= hours.from && minute < hours.to;
  return minute >= hours.from || minute < hours.to;
}

bool is_open(const Zones& zones, const Hours& hours, double at) {
  return std::ranges::all_of(zones, [&](const Zone& zone) { return is_open(*zone, hours, at); });
}

// Where open may begin or end from `at` on: at the window's edges by each clock, and where a clock
// is changed.
std::vector<double> edges(const Zones& zones, const Hours& hours, double at) {
  std::vector<double> found;
  for (const Zone& zone : zones) {
    const double today = std::floor((at + offset_of(*zone, at)) / kDayMs) * kDayMs;
    for (int day = -1; day <= kDaysAhead; ++day) {
      for (const std::uint16_t minute : {hours.from, hours.to}) {
        const double local = today + day * kDayMs + minute * kMinuteMs;
        // Where the clock is changed that day, a time of day comes twice, or not at all.
        for (const double day_off : {-kDayMs, kDayMs}) {
          found.push_back(local - offset_of(*zone, local + day_off));
        }
      }
    }
    const auto* changing = dynamic_cast<const icu::BasicTimeZone*>(zone.get());
    icu::TimeZoneTransition transition;
    if (changing != nullptr &&
        changing->getNextTransition(at, static_cast<UBool>(true), transition)) {
      found.push_back(transition.getTime());
    }
  }
  std::erase_if(found, [at](double edge) { return edge <= at; });
  std::ranges::sort(found);
  return found;
}

}  // namespace

std::optional<std::uint16_t> parse_minute(std::string_view text) noexcept {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (!digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (minute > 59 || hour * 60 + minute > kMinutesADay) return std::nullopt;
  return static_cast<std::uint16_t>(hour * 60 + minute);
}

std::string to_string(const Hours& hours) {
  return fmt::format("{:02}:{:02}-{:02}:{:02} {}", hours.from / 60, hours.from % 60, hours.to / 60,
                     hours.to % 60, hours.zone);
}

class OpenHours::Body {
 public:
  [[nodiscard]] const Zones& zones(std::string_view name) {
    const auto known = zones_.find(name);
    if (known != zones_.end()) return known->second;
    if (zones_.size() >= kZonesMax) zones_.clear();
    return zones_.emplace(std::string(name), zones_of(name)).first->second;
  }

  [[nodiscard]] std::optional<std::uint64_t> next_open(const Hours& hours, std::uint64_t at_ms) {
    const Window window(std::string(hours.zone), hours.from, hours.to);
    if (const auto known = stretches_.find(window); known != stretches_.end()) {
      const Stretch& stretch = known->second;
      if (at_ms >= stretch.asked && at_ms < stretch.end) return std::max(at_ms, stretch.begin);
    }
    const Zones& where = zones(hours.zone);
    if (where.empty()) return std::nullopt;
    const auto at = static_cast<double>(at_ms);
    double begin = at;
    bool opens = is_open(where, hours, at);
    const std::vector<double> ahead = edges(where, hours, at);
    for (std::size_t i = 0; i < ahead.size() && !opens; ++i) {
      begin = ahead[i];
      opens = is_open(where, hours, begin);
    }
    if (!opens) return std::nullopt;
    double end = begin + 1;  // where no edge closes it: asked again each time
    for (const double edge : edges(where, hours, begin)) {
      end = edge;
      if (!is_open(where, hours, edge)) break;
    }
    if (stretches_.size() >= kStretchesMax) stretches_.clear();
    stretches_[window] = {at_ms, static_cast<std::uint64_t>(begin),
                          static_cast<std::uint64_t>(end)};
    return static_cast<std::uint64_t>(begin);
  }

 private:
  struct Stretch {
    std::uint64_t asked = 0;  // nothing opens between this and `begin`
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  using Window = std::tuple<std::string, std::uint16_t, std::uint16_t>;
  std::map<std::string, Zones, std::less<>> zones_;
  std::map<Window, Stretch> stretches_;
};

OpenHours::OpenHours() : body_(std::make_unique<Body>()) {}
OpenHours::~OpenHours() = default;

bool OpenHours::knows(std::string_view zone) {
  return !body_->zones(zone).empty();
}

std::optional<std::uint64_t> OpenHours::next_open(const Hours& hours, std::uint64_t at_ms) {
  return body_->next_open(hours, at_ms);
}

}  // namespace stentor::daemon
