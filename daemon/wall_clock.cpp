#include "daemon/wall_clock.h"

#include <algorithm>

namespace stentor::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// What is followed at each look.
constexpr milliseconds kFollowed{1};

}  // namespace

ProcessDate::ProcessDate(TimePoint now, Milliseconds system) noexcept
    : offset_ns_(nanoseconds(std::max(system, Milliseconds(0)) - now.time_since_epoch()).count()) {}

std::uint64_t ProcessDate::at(TimePoint now) const noexcept {
  const nanoseconds date =
      now.time_since_epoch() +
      nanoseconds(offset_ns_.load(std::memory_order_relaxed));  // a lone figure: orders nothing
  return static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(date).count());
}

std::optional<ProcessDate::Step> ProcessDate::look(TimePoint now, Milliseconds system) noexcept {
  const Milliseconds difference = system - Milliseconds(at(now));
  difference_ms_.store(difference.count(), std::memory_order_relaxed);  // see difference()
  const Milliseconds by = difference - told_;
  if (by > kStep || by < -kStep) {
    told_ = difference;
    return Step{.by = by, .difference = difference};
  }
  if (difference >= kFollowed && difference <= kStep) {
    offset_ns_.fetch_add(nanoseconds(kFollowed).count(), std::memory_order_relaxed);  // see at()
  }
  return std::nullopt;
}

std::optional<ProcessDate::Milliseconds> ProcessDate::start_after(std::uint64_t newest_ms,
                                                                  TimePoint now) noexcept {
  const std::uint64_t date = at(now);
  if (newest_ms <= date + static_cast<std::uint64_t>(kStep.count())) return std::nullopt;
  pause_expiry(date);
  return Milliseconds(newest_ms - date);
}

std::optional<ProcessDate::Milliseconds> ProcessDate::start_expecting(Milliseconds expected,
                                                                      TimePoint now) noexcept {
  const std::uint64_t date = at(now);
  const Milliseconds ahead = Milliseconds(date) - expected;
  if (ahead <= kStep && ahead >= -kStep) return std::nullopt;
  pause_expiry(date);
  lead_ms_.store(std::max(ahead, Milliseconds(0)).count(),
                 std::memory_order_relaxed);  // a lone figure: orders nothing
  return ahead;
}

ProcessDate::Milliseconds ProcessDate::suspected_lead(TimePoint now) const noexcept {
  const Milliseconds lead(lead_ms_.load(std::memory_order_relaxed));  // as above
  return lead.count() > 0 && at(now) < expiry_from_ms() ? lead : Milliseconds(0);
}

void ProcessDate::pause_expiry(std::uint64_t date_ms) noexcept {
  expiry_from_ms_.store(date_ms + static_cast<std::uint64_t>(kExpiryPause.count()),
                        std::memory_order_relaxed);  // see expiry_from_ms()
}

std::chrono::milliseconds system_date() noexcept {
  return std::chrono::duration_cast<milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

ProcessDate& process_date() noexcept {
  static ProcessDate date(std::chrono::steady_clock::now(), system_date());
  return date;
}

std::uint64_t wall_clock_ms() noexcept {
  return process_date().at(std::chrono::steady_clock::now());
}

std::uint64_t suspected_lead_ms() noexcept {
  return static_cast<std::uint64_t>(
      process_date().suspected_lead(std::chrono::steady_clock::now()).count());
}

}  // namespace stentor::daemon
