#include "daemon/history/waits.h"

#include <algorithm>

#include "daemon/delivery/limiter_report.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kToldMs = 10;
constexpr std::uint64_t kMinuteMs = 60'000;
// Hours end on whole minutes, which are looked at one by one: for a week of a wait, in some ms.
constexpr int kMinutesMax = 7 * 1440;

// The parts of a wait that have a cause, and what is left of it.
class Causes {
 public:
  explicit Causes(const Wait& wait) : open_{{wait.from_ms, wait.until_ms, {}}} {}

  /// Gives a cause to what has none yet between `from` and `until`.
  void paint(std::uint64_t from, std::uint64_t until, std::string_view cause) {
    std::vector<Stretch> left;
    for (const Stretch& open : open_) {
      const std::uint64_t begin = std::max(open.from_ms, from);
      const std::uint64_t end = std::min(open.until_ms, until);
      if (begin >= end) {
        left.push_back(open);
        continue;
      }
      told_.push_back({begin, end, cause});
      if (open.from_ms < begin) left.push_back({open.from_ms, begin, {}});
      if (end < open.until_ms) left.push_back({end, open.until_ms, {}});
    }
    open_ = std::move(left);
  }

  [[nodiscard]] std::vector<Stretch> take() {
    std::ranges::sort(told_, {}, &Stretch::from_ms);
    std::vector<Stretch> joined;
    for (const Stretch& each : told_) {
      if (!joined.empty() && joined.back().cause == each.cause &&
          joined.back().until_ms == each.from_ms) {
        joined.back().until_ms = each.until_ms;
      } else {
        joined.push_back(each);
      }
    }
    std::erase_if(joined,
                  [](const Stretch& each) { return each.until_ms - each.from_ms < kToldMs; });
    return joined;
  }

 private:
  std::vector<Stretch> open_;
  std::vector<Stretch> told_;
};

void paint_hours(const Wait& wait, const Hours& hours, OpenHours& open_hours, Causes& causes) {
  std::uint64_t at = std::max(wait.from_ms, wait.due_ms);
  for (int i = 0; i < kMinutesMax && at < wait.until_ms; ++i) {
    const std::uint64_t opens = open_hours.next_open(hours, at).value_or(wait.until_ms);
    if (opens > at) causes.paint(at, opens, "hours");
    at = std::max(opens, (at / kMinuteMs + 1) * kMinuteMs);
  }
}

}  // namespace

std::string_view cause_of_limiter(std::uint8_t limiter) noexcept {
  if (limiter >= kLimiters) return "turn";
  const auto known = static_cast<Limiter>(limiter);
  // The carrier had nothing to do, or all that waited there was held: this one was not.
  if (known == Limiter::empty || known == Limiter::scheduled) return "turn";
  return name_of(known);
}

std::vector<Stretch> causes_of(const Wait& wait, OpenHours& open_hours) {
  Causes causes(wait);
  if (wait.due_ms > wait.from_ms) causes.paint(wait.from_ms, wait.due_ms, wait.due_cause);
  if (wait.hours) paint_hours(wait, *wait.hours, open_hours, causes);
  for (const Stretch& pause : wait.pauses) causes.paint(pause.from_ms, pause.until_ms, pause.cause);
  if (!wait.carrier.empty()) {
    std::uint64_t until = wait.until_ms;
    for (auto span = wait.carrier.rbegin(); span != wait.carrier.rend(); ++span) {
      const std::uint64_t from = until - std::min(until, span->milliseconds);
      causes.paint(from, until, cause_of_limiter(span->cause));
      until = from;
    }
    causes.paint(0, until, "not_known");
  }
  return causes.take();
}

}  // namespace stentor::daemon
