// A carrier that is stuck: what it is given to prove that it moves again, one message at a time.
#include <algorithm>
#include <chrono>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/log.h"

namespace stentor::daemon {
namespace {

// Those that have expired or wait for their hours are passed over: one turn reads so many.
constexpr std::size_t kLookedAtOnce = 256;

}  // namespace

void CarrierDelivery::on_link_stuck(SmscLink& /*link*/) {
  if (!stuck_.on_no_progress(steady_now())) return;
  ++stats_.stuck;
  log::warn("carrier {}: stuck: it takes one message at a time until it answers", config_.name);
  release_reserved();
  publish_health();
  schedule_pump();
}

// What it may be proved with, in the order of who has nowhere else to go: what was set aside when
// others moved, and where nobody else could take it, or nothing else is there, what waits.
std::optional<queue::Lanes::Pick> CarrierDelivery::take_probe() {
  std::optional<queue::Lanes::Pick> pick;
  const auto take = [&pick](const queue::Lanes::Pick& first) { pick = first; };
  staying_.take_all(1, take);
  const std::uint32_t seconds = wall_seconds();
  if (pick && (lanes_.is_held(pick->flow) || lanes_.is_held_all())) {
    staying_.push_front(pick->priority, pick->flow, pick->ticket, seconds);
    pick.reset();
  }
  if (pick) return pick;
  const bool may_move = services_.routing.has_stand_in(number_) && !stuck_.lacks_probe();
  if (may_move) return std::nullopt;
  if (auto next = lanes_.pop()) return next;
  if (auto parked = limits_.pop_any()) return parked->pick;
  return std::nullopt;
}

void CarrierDelivery::reserve_probe(TimePoint now) {
  if (reserved_ > 0 || draining_ || suspended_ || clearing_ || services_.feed.is_full()) return;
  if (std::ranges::none_of(lines_, [](const auto& line) { return line->link->may_send(); })) return;
  const std::uint32_t step = expiry_now();
  for (std::size_t i = 0; i < kLookedAtOnce; ++i) {
    const auto pick = take_probe();
    if (!pick) break;
    if (i + 1 == kLookedAtOnce) schedule_pump();
    if (pick->ticket.expires <= step || is_dead(*pick)) {
      end_due_or_cancelled(*pick);
      continue;
    }
    if (must_wait(*pick)) continue;
    if (reserve_one(*pick, *line_for(pick->ticket), {.segments = 1, .ahead = 1}, now, true) !=
        Reserved::yes)
      continue;
    (void)stuck_.on_probe(true);
    return;
  }
  // What waits in the lanes is judged first: it may stay, and be what we look for.
  if (lanes_.waiting() + limits_.waiting() > 0 && services_.routing.has_stand_in(number_)) return;
  // So does what comes back from its doubt within a pause: it was there, and has nowhere else to
  // go.
  const auto pause_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(doubt_pause()).count());
  if (in_doubt_.next_ms() <= wall_ms() + pause_ms) return;
  if (stuck_.on_probe(false)) schedule_pump();
}

}  // namespace stentor::daemon
