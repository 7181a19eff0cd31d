// How much may go: limits of senders and prefixes, windows that size themselves, and what holds
// the carrier back.
#include <algorithm>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// One turn of the loop looks at so many parked ones: each may have to be read from disk.
constexpr std::size_t kParkedAtOnce = 256;
// Answers that take longer than this are the carrier's doing, not the window's.
constexpr auto kSlowAnswer = 1s;
// Tickets that wait at limits, 1 MiB of them, and one more of each flow: many times what a limit
// lets through in the second it takes to let the others in. They have no place on disk.
constexpr std::size_t kParkedMax = 65'536;

}  // namespace

std::uint32_t CarrierDelivery::window_now() const {
  if (!config_.window_is_automatic) return config_.window;
  const auto senders =
      std::ranges::count_if(lines_, [](const auto& line) { return line->link->may_send(); });
  return responses_.window(throttle_.rate(), static_cast<std::uint32_t>(senders), config_.window);
}

// How many segments its window takes now.
std::size_t CarrierDelivery::room_of(const Line& line) const {
  if (!line.link->may_send()) return 0;
  protocol::Session& session = line.link->session();
  const std::size_t free = session.window_free();
  if (!config_.window_is_automatic) return free;
  const std::size_t window = window_now();  // the session's own is its upper bound then
  return std::min(free, window - std::min(window, session.in_flight()));
}

// Parked messages whose limit has room again go before what waits in the lanes: they came first.
void CarrierDelivery::reserve_limited(const ReserveLimit& limit, TimePoint now) {
  const std::uint32_t seconds = wall_seconds();
  for (std::size_t i = 0; i < kParkedAtOnce && !services_.feed.is_full(); ++i) {
    const auto parked = limits_.pop_ready(now);
    if (!parked) return;
    const queue::Lanes::Pick& pick = parked->pick;
    if (holds_.is_stopped(pick.flow) || lanes_.is_held_all()) {  // it waits with its campaign again
      lanes_.push_front(pick.priority, pick.flow, pick.ticket, seconds);
      continue;
    }
    if (pick.ticket.expires <= expiry_now() || is_dead(pick)) {
      end_due_or_cancelled(pick);
      continue;
    }
    if (must_wait(pick)) continue;
    Line* line = line_for(pick.ticket);
    if (line == nullptr || !has_room(*line, limit) || !line->stash.empty() ||
        reserve_one(pick, *line, limit, now, true) == Reserved::no_room) {
      return limits_.put_back(*parked, seconds);  // a bind that gets room pumps again
    }
  }
  schedule_pump();
}

// With too many there, what comes under a limit stops in its lane, and so does what stands behind
// it in its campaign. Others go on.
void CarrierDelivery::park_at_limit(const RateLimits::Match& match,
                                    const queue::Lanes::Pick& pick) {
  limits_.park(match, pick, wall_seconds());
  if (limits_.waiting() < kParkedMax || holds_.is_held_for(pick.flow, HoldReason::crowded)) return;
  crowded_.push_back(pick.flow);
  hold_for(pick.flow, HoldReason::crowded, true);
}

void CarrierDelivery::release_crowded() {
  if (crowded_.empty() || limits_.waiting() > kParkedMax / 2) return;
  for (const queue::Flow flow : crowded_) hold_for(flow, HoldReason::crowded, false);
  crowded_.clear();
  schedule_pump();
}

void CarrierDelivery::note_limiter(TimePoint now) {
  limiter_.note(limiter_at(now), now);
  services_.gauges.limiters.set(number_, static_cast<std::uint8_t>(limiter_.shown(now)));
}

Limiter CarrierDelivery::limiter_at(TimePoint now) {
  const bool anything_ready =
      std::ranges::any_of(lines_, [](const auto& line) { return !line->ready.empty(); });
  const bool anything_stashed =
      std::ranges::any_of(lines_, [](const auto& line) { return !line->stash.empty(); });
  // What was set aside when others moved away goes from there, one at a time.
  const bool anything_staying = stuck_.is_stuck() && staying_.waiting() > 0;
  if (!lanes_.has_ready() && !anything_ready && !anything_stashed && !anything_staying &&
      limits_.waiting() == 0) {
    const bool anything_intended =
        std::ranges::any_of(lines_, [](const auto& line) { return !line->intending.empty(); });
    if (anything_intended) return Limiter::disk;
    const bool anything_held = due_.size() + lanes_.waiting() + set_aside_.waiting() > 0;
    return anything_held ? Limiter::scheduled : Limiter::empty;
  }
  if (suspended_) return Limiter::suspended;
  if (std::ranges::none_of(lines_, [](const auto& line) { return line->link->may_send(); })) {
    return Limiter::link_down;
  }
  if (stuck_.is_stuck()) return Limiter::stuck;
  if (anything_ready) {
    if (pacer_.available(now) == 0) {
      return throttle_.is_cut() ? Limiter::throttled : Limiter::rate;
    }
    return responses_.latency() > kSlowAnswer ? Limiter::latency : Limiter::window;
  }
  if (!lanes_.has_ready() && !anything_stashed) return Limiter::limit;
  return Limiter::disk;  // something may go, and no intent of it is durable yet
}

}  // namespace stentor::daemon
