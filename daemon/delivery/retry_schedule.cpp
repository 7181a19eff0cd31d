#include "daemon/delivery/retry_schedule.h"

#include <algorithm>

namespace stentor::daemon {

using namespace std::chrono_literals;

std::chrono::seconds RetrySchedule::pause(std::uint32_t attempt) const {
  if (rule_.pauses.empty()) return 1s;
  const std::size_t index =
      std::min<std::size_t>(attempt < 1 ? 0 : attempt - 1, rule_.pauses.size() - 1);
  return rule_.pauses[index];
}

std::optional<std::chrono::seconds> RetrySchedule::pause_after(
    std::uint32_t attempt, std::chrono::milliseconds since_first) const {
  if (rule_.attempts != 0 && attempt >= rule_.attempts) return std::nullopt;
  const auto wait = pause(attempt);
  if (rule_.within > 0s && since_first + wait > rule_.within) return std::nullopt;
  return wait;
}

std::chrono::seconds RetrySchedule::earliest(std::uint32_t attempt) const {
  std::chrono::seconds sum{0};
  for (std::uint32_t i = 1; i < attempt; ++i) sum += pause(i);
  return sum;
}

}  // namespace stentor::daemon
