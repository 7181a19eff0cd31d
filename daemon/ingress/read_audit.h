// Who looked at other clients' messages, for the log: an observer sees whole numbers, and that it
// did is on record. Never which numbers.
//
// One line for each client and kind of look, and within a minute of it none but a count: a program
// that looks all day fills no log, and each look is counted in a line.
//
// Units    Times are steady_clock.
// Owns     When each was last said: as many as clients with the role and kinds of look.
// Threads  One thread.
// Spec     docs/operations.md, "Look"
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stentor::daemon {

class ReadAudit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// A person asks some times a minute, and a program that asks more is one line of it.
  static constexpr std::chrono::minutes kSaidEvery{1};

  /// `client` looked at messages that are not its own. The line for the log, when it is time for
  /// one.
  [[nodiscard]] std::optional<std::string> line_of(const std::string& client, std::string_view what,
                                                   TimePoint now) {
    Looks& looks = looks_[{client, std::string(what)}];
    if (looks.said && now < *looks.said + kSaidEvery) {
      ++looks.unsaid;
      return std::nullopt;
    }
    looks.said = now;
    const std::uint64_t before = std::exchange(looks.unsaid, 0);
    std::string line =
        fmt::format("audit: {} looked at other clients' messages ({})", client, what);
    if (before > 0) line.append(fmt::format("; {} times more since it was last said", before));
    return line;
  }

 private:
  struct Looks {
    std::optional<TimePoint> said;
    std::uint64_t unsaid = 0;
  };
  std::map<std::pair<std::string, std::string>, Looks> looks_;
};

}  // namespace stentor::daemon
