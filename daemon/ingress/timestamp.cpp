#include "daemon/ingress/timestamp.h"

#include <array>
#include <chrono>

#include "daemon/ingress/json.h"

namespace stentor::daemon {
namespace {

constexpr std::int64_t kMsPerDay = 86'400'000;

// Takes `digits` decimal digits from the front of `rest`.
std::optional<unsigned> take_digits(std::string_view& rest, std::size_t digits) {
  if (rest.size() < digits) return std::nullopt;
  unsigned value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (rest[i] < '0' || rest[i] > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(rest[i] - '0');
  }
  rest.remove_prefix(digits);
  return value;
}

bool take(std::string_view& rest, std::string_view any_of) {
  if (rest.empty() || !any_of.contains(rest.front())) return false;
  rest.remove_prefix(1);
  return true;
}

// Seconds east of UTC, or nothing.
std::optional<int> take_zone(std::string_view& rest) {
  if (take(rest, "Zz")) return 0;
  if (rest.empty()) return std::nullopt;
  const char sign = rest.front();
  if (!take(rest, "+-")) return std::nullopt;
  const auto hours = take_digits(rest, 2);
  if (!hours || *hours > 23 || !take(rest, ":")) return std::nullopt;
  const auto minutes = take_digits(rest, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const int seconds = static_cast<int>(*hours * 3600 + *minutes * 60);
  return sign == '-' ? -seconds : seconds;
}

}  // namespace

std::optional<std::uint64_t> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  if (!y || !take(text, "-")) return std::nullopt;
  const auto m = take_digits(text, 2);
  if (!m || !take(text, "-")) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d || !take(text, "Tt ")) return std::nullopt;
  const year_month_day date{year(static_cast<int>(*y)), month(*m), day(*d)};
  if (!date.ok()) return std::nullopt;

  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;

  unsigned fraction_ms = 0;
  if (take(text, ".")) {
    unsigned weight = 100;
    bool any = false;
    while (const auto digit = take_digits(text, 1)) {
      fraction_ms += *digit * weight;  // beyond milliseconds the weight is 0
      weight /= 10;
      any = true;
    }
    if (!any) return std::nullopt;
  }
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;

  const std::int64_t days = sys_days(date).time_since_epoch().count();
  const std::int64_t ms = days * kMsPerDay +
                          (static_cast<std::int64_t>(*hour) * 3600 +
                           static_cast<std::int64_t>(*minute) * 60 + *second - *zone) *
                              1000 +
                          fraction_ms;
  if (ms < 0) return std::nullopt;
  return static_cast<std::uint64_t>(ms);
}

void append_rfc3339(std::uint64_t time_ms, std::string& out) {
  using namespace std::chrono;
  const auto since = milliseconds(static_cast<std::int64_t>(time_ms));
  const auto whole_days = floor<days>(since);
  const year_month_day date{sys_days(whole_days)};
  const hh_mm_ss<milliseconds> time(since - whole_days);
  std::array<char, 24> text{};
  std::size_t at = 0;
  const auto put = [&](std::uint64_t value, std::size_t digits, char behind) {
    for (std::size_t i = digits; i-- > 0; value /= 10) {
      text[at + i] = static_cast<char>('0' + value % 10);
    }
    at += digits;
    text[at++] = behind;
  };
  put(static_cast<std::uint64_t>(static_cast<int>(date.year())), 4, '-');
  put(static_cast<unsigned>(date.month()), 2, '-');
  put(static_cast<unsigned>(date.day()), 2, 'T');
  put(static_cast<std::uint64_t>(time.hours().count()), 2, ':');
  put(static_cast<std::uint64_t>(time.minutes().count()), 2, ':');
  put(static_cast<std::uint64_t>(time.seconds().count()), 2, '.');
  put(static_cast<std::uint64_t>(time.subseconds().count()), 3, 'Z');
  out.append(text.data(), at);
}

void append_time(std::string_view key, std::uint64_t time_ms, std::string& out) {
  append_key(key, out);
  out.push_back('"');
  append_rfc3339(time_ms, out);
  out.push_back('"');
}

}  // namespace stentor::daemon
