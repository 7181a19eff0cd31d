// Says that the journal cannot be read on, while it lasts, without filling the log: who reads tries
// again at each commit.
//
// Units    Times are steady_clock.
// Owns     When it last said so.
// Threads  One thread.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "queue/journal_format.h"
#include "queue/locator.h"

namespace stentor::daemon {

class ReadTrouble {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// An operator sees that it lasts, and the log of a day stays readable.
  static constexpr std::chrono::minutes kSaidEvery{1};

  /// `who` could not read on at `place`. The line for the log, when it is time for one.
  [[nodiscard]] std::optional<std::string> line_of(std::string_view who, queue::Locator place,
                                                   std::error_code why, TimePoint now) {
    if (said_ && now < *said_ + kSaidEvery) return std::nullopt;
    said_ = now;
    return fmt::format("{}: {} cannot be read: {}; it is tried again", who,
                       queue::file_name(place.file()), why.message());
  }

 private:
  std::optional<TimePoint> said_;
};

}  // namespace stentor::daemon
