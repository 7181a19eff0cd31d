#include "daemon/delivery/retry_schedule.h"

#include <algorithm>
#include <cassert>

namespace stentor::daemon {

using namespace std::chrono_literals;

const RetryRule& rule_of(const RetryConfig& retry, StatusClass is) noexcept {
  switch (is) {
    case StatusClass::throttle: return retry.throttle;
    case StatusClass::queue_full: return retry.queue_full;
    case StatusClass::temporary: return retry.temporary;
    case StatusClass::unknown: return retry.unknown;
    case StatusClass::bind: return retry.bind;
    case StatusClass::doubt: return retry.doubt;
    case StatusClass::permanent: break;
  }
  assert(false && "what is refused for good has no rule");
  return retry.unknown;
}

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
