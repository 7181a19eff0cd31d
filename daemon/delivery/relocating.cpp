// A campaign that is moved to another carrier: what was accepted before the order and waits here.
//
// The order's record is durable before it comes here. At once the campaign is held, so that nothing
// of it goes out here any more; then it is taken out of whatever it waits in, some at each turn,
// and each message moves with a record of its own. What the carrier may have something of stays
// here.
#include <algorithm>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"

namespace stentor::daemon {
namespace {

// One turn reads at most so many records: half a millisecond, so that other carriers of the shard
// go on.
constexpr std::size_t kRelocatedAtOnce = 256;
constexpr std::string_view kReason = "campaign";

std::int64_t in_ms(ShardClock::TimePoint time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

// An order is obeyed once: what has come back since, because the other carrier was down, stays.
void CarrierDelivery::obey_move(const FlowOrder& order) {
  if (order.moved_before.is_nowhere()) return;
  const auto target = services_.routing.carrier_named(order.moved_to);
  Relocation& known = relocations_[order.flow];
  if (!target || known.before >= order.moved_before) return;
  finish_relocating(order.flow);
  known = {.before = order.moved_before, .target = *target};
  if (*target != number_) start_relocating(order.flow);
}

bool CarrierDelivery::is_to_relocate(const queue::Lanes::Pick& pick) const noexcept {
  if (relocations_.empty()) return false;
  const auto known = relocations_.find(pick.flow);
  return known != relocations_.end() && known->second.target != number_ &&
         pick.ticket.at < known->second.before;
}

void CarrierDelivery::start_relocating(queue::Flow flow) {
  return_stashed(flow);
  return_reserved([this, flow](const Sending& reserved) {
    return reserved.pick.flow == flow && is_to_relocate(reserved.pick);
  });
  if (std::ranges::find(relocating_, flow, &Relocating::flow) == relocating_.end()) {
    relocating_.push_back({.flow = flow, .kept = {}, .kept_due = {}});
  }
  hold_for(flow, HoldReason::moving, true);
}

void CarrierDelivery::relocate_some() {
  std::size_t room = kRelocatedAtOnce;
  while (!relocating_.empty() && room > 0 && !draining_ && !services_.feed.is_full()) {
    Relocating& now = relocating_.front();
    const TakenOfFlow taken = take_oldest_of(now.flow, room);
    for (const queue::Lanes::Pick& pick : taken.picks) relocate(now, pick);
    for (const queue::Timers::Entry& entry : taken.due) relocate(now, entry);
    if (waiting_of(now.flow) == 0 && due_.waiting_of(now.flow) == 0) {
      finish_relocating(now.flow);
      continue;
    }
    room -= std::min(room, taken.size());
    if (taken.size() == 0) break;  // the rest has to be read first
  }
  if (!relocating_.empty() && !draining_ && !services_.feed.is_full()) schedule_pump();
}

void CarrierDelivery::relocate(Relocating& now, const queue::Lanes::Pick& pick) {
  if (is_dead(pick) || pick.ticket.expires <= expiry_now()) {
    return end_due_or_cancelled(pick);
  }
  if (!is_to_relocate(pick) ||
      !move(pick, {.target = relocations_.at(pick.flow).target, .reason = kReason})) {
    now.kept.push_back(pick);
  }
}

// Its time goes with it; the pauses of its retries do not, since it begins anew over there.
void CarrierDelivery::relocate(Relocating& now, const queue::Timers::Entry& entry) {
  const queue::Lanes::Pick pick{
      .ticket = entry.ticket, .flow = entry.flow, .priority = entry.priority};
  if (is_dead(pick)) return end_due_or_cancelled(pick);
  const bool is_retry = retries_.contains(pick.ticket.at);
  const std::int64_t wait = std::max<std::int64_t>(0, entry.due_ms - in_ms(steady_now()));
  const std::uint64_t due = is_retry ? 0 : wall_ms() + static_cast<std::uint64_t>(wait);
  if (!is_to_relocate(pick) ||
      !move(pick,
            {.target = relocations_.at(pick.flow).target, .reason = kReason, .due_ms = due})) {
    now.kept_due.push_back(entry);
  }
}

// What stays goes back where it was, in its old order, before what has come since.
void CarrierDelivery::finish_relocating(queue::Flow flow) {
  const auto found = std::ranges::find(relocating_, flow, &Relocating::flow);
  if (found == relocating_.end()) return;
  const Relocating done = std::move(*found);
  relocating_.erase(found);
  const std::uint32_t seconds = wall_seconds();
  for (auto pick = done.kept.rbegin(); pick != done.kept.rend(); ++pick) {
    lanes_.push_front(pick->priority, pick->flow, pick->ticket, seconds);
  }
  for (const queue::Timers::Entry& entry : done.kept_due) {
    due_.push(entry.due_ms, entry.priority, entry.flow, entry.ticket);
  }
  hold_for(flow, HoldReason::moving, false);
}

}  // namespace stentor::daemon
