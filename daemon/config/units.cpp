#include "daemon/config/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace stentor::daemon::config_file {
namespace {

using Unit = std::pair<std::string_view, std::uint64_t>;

constexpr std::array<Unit, 4> kTimes{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 3> kSizes{
    {{"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}}};

template <std::size_t Count>
std::optional<std::uint64_t> with_unit(std::string_view text,
                                       const std::array<Unit, Count>& units) {
  std::uint64_t number = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (error != std::errc{}) return std::nullopt;

  const std::string_view name(stop, static_cast<std::size_t>(end - stop));
  const auto* const unit = std::ranges::find(units, name, &Unit::first);
  if (unit == units.end()) return std::nullopt;
  // Signed, since std::chrono counts so.
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (number > kMost / unit->second) return std::nullopt;
  return number * unit->second;
}

template <std::size_t Count>
std::string in_widest_unit(std::uint64_t number, const std::array<Unit, Count>& units) {
  const Unit* widest = &units.front();
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.second == 0) widest = &unit;
  }
  return std::to_string(number / widest->second).append(widest->first);
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto number = with_unit(text, kTimes);
  if (!number) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*number));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return with_unit(text, kSizes);
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;

  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']' && host.size() > 2) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return std::nullopt;  // an IPv6 address without brackets: which colon is the port's?
  }
  const auto is_odd = [](char c) { return c <= ' ' || c == 0x7f; };
  if (std::ranges::any_of(host, is_odd)) return std::nullopt;

  std::uint16_t port = 0;
  const char* const begin = digits.data();
  const char* const end = begin + digits.size();
  const auto [stop, error] = std::from_chars(begin, end, port);
  if (error != std::errc{} || stop != end || port == 0) return std::nullopt;
  return HostPort{.host = std::string(host), .port = port};
}

std::optional<std::uint32_t> parse_mode(std::string_view text) {
  if (text.size() < 3 || text.size() > 4) return std::nullopt;
  std::uint32_t mode = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, mode, 8);
  if (error != std::errc{} || stop != end || mode > 0777) return std::nullopt;
  return mode;
}

std::string write_duration(std::chrono::milliseconds duration) {
  return in_widest_unit(static_cast<std::uint64_t>(duration.count()), kTimes);
}

std::string write_size(std::uint64_t octets) {
  return in_widest_unit(octets, kSizes);
}

}  // namespace stentor::daemon::config_file
