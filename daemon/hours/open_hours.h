// When a message may be sent, where its hours are limited: by the recipient's own clock.
//
// Units    Minutes of the local day; milliseconds of Unix time.
// Owns     The zones it was asked about, and for each the latest stretch of open time.
// Errors   A zone that nobody knows, and hours that never come, are ordinary "no"s.
// Threads  One thread: each that asks has its own.
// Spec     docs/protocol.md, "hours"; the zones are ICU's copy of the tz database
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stentor::daemon {

inline constexpr std::uint16_t kMinutesADay = 1440;

/// From a minute of the local day, up to but without another; over midnight where `to` is earlier.
struct Hours {
  std::uint16_t from = 0;
  std::uint16_t to = kMinutesADay;
  /// A name of the tz database; or `@` and regions, such as `@RU` or `@US,CA`: open only when it is
  /// open in every zone of those, since a number does not tell in which of them its owner is.
  std::string_view zone;
};

/// "09:00" to "24:00".
[[nodiscard]] std::optional<std::uint16_t> parse_minute(std::string_view text) noexcept;
/// "09:00-21:00 Europe/Samara"
[[nodiscard]] std::string to_string(const Hours& hours);

class OpenHours {
 public:
  OpenHours();
  ~OpenHours();
  OpenHours(const OpenHours&) = delete;
  OpenHours& operator=(const OpenHours&) = delete;

  [[nodiscard]] bool knows(std::string_view zone);
  /// `at_ms` when it is open then, else when it opens next. Nothing when it does not open within
  /// two days: in a region whose zones lie too far apart, or a zone that is not known.
  [[nodiscard]] std::optional<std::uint64_t> next_open(const Hours& hours, std::uint64_t at_ms);

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace stentor::daemon
