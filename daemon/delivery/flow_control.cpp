// What campaigns' owners order: holding, weighing and cancelling what waits here.
#include <algorithm>
#include <iterator>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/records/own_outcomes.h"

namespace stentor::daemon {
namespace {

// One turn of the loop ends at most this many cancelled messages, so that others' answers are read
// and others' messages go in between: some 2 ms of reading their records.
constexpr std::size_t kCancelAtOnce = 512;

}  // namespace

std::string_view word_of(FlowLimit limit) noexcept {
  switch (limit) {
    case FlowLimit::nothing: return "nothing waits";
    case FlowLimit::paused: return "paused";
    case FlowLimit::moving: return "moving";
    case FlowLimit::link_down: return "link down";
    case FlowLimit::suspended: return "suspended";
    case FlowLimit::stuck: return "stuck";
    case FlowLimit::throttled: return "throttled";
    case FlowLimit::scheduled: return "scheduled";
    case FlowLimit::order: return "order";
    case FlowLimit::limit: return "limit";
    case FlowLimit::campaign_rate: return "campaign rate";
    case FlowLimit::rate: return "rate";
    case FlowLimit::window: return "window";
  }
  return "";
}

FlowAtCarrier CarrierDelivery::obey(const FlowOrder& order) {
  lanes_.set_weight(order.flow, order.weight);
  const bool cancels = !order.cancelled_before.is_nowhere();
  cancellations_.cancel_before(order.flow, order.cancelled_before);
  if (shares_.limit(order.flow, order.has_rate)) {
    hold_for(order.flow, HoldReason::rate, order.has_rate);  // until its first share comes
  }
  if (order.is_paused) {
    return_stashed(order.flow);
    return_reserved([&](const Sending& reserved) { return reserved.pick.flow == order.flow; });
  }
  hold_for(order.flow, HoldReason::paused, order.is_paused);
  const std::size_t withdrawn = cancels ? start_cancelling(order.flow) : 0;
  obey_move(order);
  schedule_pump();
  FlowAtCarrier found = look_at(order.flow);
  found.ready += withdrawn;  // it waited until now
  return found;
}

// While its tickets are taken out, cancelled or moved, a flow is held too: what came later keeps
// its order.
void CarrierDelivery::hold_for(queue::Flow flow, HoldReason reason, bool is_held) {
  const bool was_held = holds_.is_held(flow);
  holds_.set(flow, reason, is_held);
  if (holds_.is_stopped(flow)) {  // held in its lane, whole and in order
    order_.release_flow(flow);
    give_back_held();
  }
  if (holds_.is_held(flow) == was_held) return;
  if (was_held) {
    lanes_.release(flow);
  } else {
    lanes_.hold(flow);
  }
}

// What stands beside a full bind goes back to the lane, and is taken out there with the others.
void CarrierDelivery::return_stashed(queue::Flow flow) {
  for (const auto& line : lines_) {
    std::vector<queue::Lanes::Pick> back;
    std::erase_if(line->stash, [&](const queue::Lanes::Pick& pick) {
      if (pick.flow != flow) return false;
      under_way_.leave(pick.ticket.key);
      back.push_back(pick);
      return true;
    });
    for (auto pick = back.rbegin(); pick != back.rend(); ++pick) return_to_lane(*pick);
  }
}

// And so does what is reserved, and nothing of it over there. What has begun goes on: half a text
// helps nobody.
void CarrierDelivery::return_reserved(const std::function<bool(const Sending&)>& is_meant) {
  Released released;
  released.time_ms = wall_ms();
  std::vector<queue::Lanes::Pick> back;
  (void)withdraw_reserved(
      [&](const Sending& reserved) {
        if (!is_meant(reserved)) return false;
        released.sequences.push_back(reserved.subject.id.sequence());
        return true;
      },
      [&](const queue::Lanes::Pick& pick) { back.push_back(pick); });
  if (!released.sequences.empty()) outcomes_.write(released);
  // The last accepted goes back first, so that the lane has them in their old order again.
  std::ranges::sort(back, std::ranges::greater{},
                    [](const queue::Lanes::Pick& pick) { return pick.ticket.at; });
  for (const queue::Lanes::Pick& pick : back) return_to_lane(pick);
}

std::size_t CarrierDelivery::start_cancelling(queue::Flow flow) {
  return_stashed(flow);
  std::size_t withdrawn = withdraw_reserved(
      [&](const Sending& reserved) {
        return reserved.pick.flow == flow && cancellations_.covers(flow, reserved.pick.ticket.at);
      },
      [this](const queue::Lanes::Pick& pick) { end_due_or_cancelled(pick); });
  for (const std::uint64_t sequence : in_doubt_.of_flow(flow)) {
    if (!cancellations_.covers(flow, in_doubt_.find(sequence)->pick.ticket.at)) continue;
    Held held = *in_doubt_.take(sequence);
    if (end_doubt_with_campaign(held)) {
      ++withdrawn;
    } else {
      held.until_ms = wall_ms();  // looked at again, it is cancelled, whatever its policy
      hold_unreadable(sequence, std::move(held));
    }
  }
  if (std::ranges::find(cancelling_, flow, &Cancelling::flow) == cancelling_.end()) {
    cancelling_.push_back({.flow = flow, .kept = {}, .kept_due = {}});
  }
  hold_for(flow, HoldReason::cancelling, true);
  return withdrawn;
}

// Reserved, and nothing of it over there: it may still be called back. Its verdict settles the
// intent.
std::size_t CarrierDelivery::withdraw_reserved(const std::function<bool(const Sending&)>& is_meant,
                                               const queue::Lanes::Sink& end) {
  std::size_t count = 0;
  for (const auto& line : lines_) {
    for (auto* slots : {&line->intending, &line->ready}) {
      std::vector<std::uint32_t> withdrawn;
      std::erase_if(*slots, [&](std::uint32_t slot) {
        const Sending& reserved = sending(slot);
        if (!reserved.may_go_back() || !is_meant(reserved)) return false;
        withdrawn.push_back(slot);
        return true;
      });
      count += withdrawn.size();
      for (const std::uint32_t slot : withdrawn) end(take_out(slot));
    }
  }
  return count;
}

// What is remembered of it is kept for whoever takes the ticket.
queue::Lanes::Pick CarrierDelivery::take_out(std::uint32_t slot) {
  Sending& reserved = sending(slot);
  const queue::Lanes::Pick pick = reserved.pick;
  keep_retry(pick.ticket.at, std::move(reserved.retry));
  close_slot(slot);
  return pick;
}

// Reserved, and its link or its turn did not come in time; beside a full bind likewise.
void CarrierDelivery::expire_reserved() {
  const std::uint64_t now_ms = wall_ms();
  if (now_ms < reserved_expire_ms_ || is_expiry_paused()) return;
  reserved_expire_ms_ = UINT64_MAX;
  (void)withdraw_reserved(
      [this, now_ms](const Sending& reserved) {
        const std::uint64_t expires_ms = reserved.accepted.expires_ms();
        if (expires_ms <= now_ms) return true;
        reserved_expire_ms_ = std::min(reserved_expire_ms_, expires_ms);
        return false;
      },
      [this](const queue::Lanes::Pick& pick) { end_due_or_cancelled(pick); });
  const ExpiryTicks& ticks = services_.clock.ticks();
  for (const auto& line : lines_) {
    std::vector<queue::Lanes::Pick> expired;
    std::erase_if(line->stash, [&](const queue::Lanes::Pick& pick) {
      const std::uint64_t expires_ms = ticks.ms_of(pick.ticket.expires);
      if (expires_ms <= now_ms) {
        expired.push_back(pick);
        return true;
      }
      reserved_expire_ms_ = std::min(reserved_expire_ms_, expires_ms);
      return false;
    });
    for (const queue::Lanes::Pick& pick : expired) {
      under_way_.leave(pick.ticket.key);
      end_due_or_cancelled(pick);
    }
  }
}

// The oldest first: what waits behind a limit or was set aside, then the lanes, then the times.
CarrierDelivery::TakenOfFlow CarrierDelivery::take_oldest_of(queue::Flow flow, std::size_t max) {
  TakenOfFlow taken;
  const auto keep = [&](const queue::Lanes::Pick& pick) { taken.picks.push_back(pick); };
  limits_.take_flow(flow, max, keep);
  set_aside_.take_flow(flow, max - taken.picks.size(), keep);
  staying_.take_flow(flow, max - taken.picks.size(), keep);
  lanes_.take_flow(flow, max - taken.picks.size(), keep);
  if (taken.picks.size() < max) {
    due_.take_flow(flow, max - taken.picks.size(),
                   [&](const queue::Timers::Entry& entry) { taken.due.push_back(entry); });
  }
  return taken;
}

// Some of what is cancelled gets its verdict; the rest at the next turns.
void CarrierDelivery::cancel_some() {
  std::size_t room = kCancelAtOnce;
  while (!cancelling_.empty() && room > 0 && !services_.feed.is_full()) {
    Cancelling& now = cancelling_.front();
    const TakenOfFlow taken = take_oldest_of(now.flow, room);
    bool has_ended = false;
    for (const queue::Lanes::Pick& pick : taken.picks) {
      if (cancellations_.covers(pick.flow, pick.ticket.at)) {
        end_due_or_cancelled(pick);
        has_ended = true;
      } else {
        now.kept.push_back(pick);
      }
    }
    for (const queue::Timers::Entry& entry : taken.due) {
      if (cancellations_.covers(entry.flow, entry.ticket.at)) {
        end_due_or_cancelled(
            {.ticket = entry.ticket, .flow = entry.flow, .priority = entry.priority});
      } else {
        now.kept_due.push_back(entry);
      }
    }
    if (waiting_of(now.flow) == 0 && due_.waiting_of(now.flow) == 0) {
      finish_cancelling();
      continue;
    }
    room -= std::min(room, taken.size());
    if (taken.size() == 0) break;  // the rest has to be read first
    if (has_ended) failpoint(Failpoint::campaign_cancel_some);
  }
  if (!cancelling_.empty() && !services_.feed.is_full()) schedule_pump();
}

void CarrierDelivery::finish_cancelling() {
  const Cancelling done = std::move(cancelling_.front());
  cancelling_.pop_front();
  const std::uint32_t seconds = wall_seconds();
  for (const queue::Lanes::Pick& pick : done.kept) {
    lanes_.push(pick.priority, pick.flow, pick.ticket, seconds);
  }
  for (const queue::Timers::Entry& entry : done.kept_due) {
    due_.push(entry.due_ms, entry.priority, entry.flow, entry.ticket);
  }
  hold_for(done.flow, HoldReason::cancelling, false);
}

bool CarrierDelivery::is_dead(const queue::Lanes::Pick& pick) const noexcept {
  return services_.buried.holds(pick.ticket.at) ||
         cancellations_.covers(pick.flow, pick.ticket.at) || is_cleared(pick.ticket.at);
}

// The last word on a ticket that goes no further.
void CarrierDelivery::end_due_or_cancelled(const queue::Lanes::Pick& pick) {
  if (services_.buried.holds(pick.ticket.at)) {  // whoever buried it writes its verdict
    services_.buried.unbury(pick.ticket.at);
    return forget(pick.ticket.at);
  }
  if (cancellations_.covers(pick.flow, pick.ticket.at)) {
    end_waiting(pick, State::cancelled, own_outcome::kCancelled, "with its campaign");
  } else if (is_cleared(pick.ticket.at)) {
    end_cleared(pick, clearing_->by);
  } else {
    end_waiting(pick, State::expired, own_outcome::kExpired, "not sent before it expired");
  }
}

// In lanes, behind limits, and set aside, whatever for.
std::size_t CarrierDelivery::waiting_of(queue::Flow flow) const {
  return lanes_.waiting_of(flow) + limits_.waiting_of(flow) + staying_.waiting_of(flow) +
         order_.waiting_of(flow) + set_aside_.waiting_of(flow);
}

// A message that was buried: what is in hand of it here, its ticket aside.
CalledBack CarrierDelivery::call_back(queue::Locator at, std::uint64_t sequence,
                                      std::string_view by) {
  if (const Held* found = in_doubt_.find(sequence);
      found != nullptr && found->pick.ticket.at == at) {
    if (!end_doubt(*found, State::cancelled,
                   {.end = DoubtEnd::cancelled,
                    .by = by,
                    .code = own_outcome::kCancelled,
                    .detail = "in doubt: it may have been sent"})) {
      return CalledBack::unreadable;  // held as before
    }
    (void)in_doubt_.take(sequence);
    return CalledBack::ended;
  }
  const auto in_hand = [at](const auto& each) {
    return each->subject.parts > 0 && !each->record.empty() && each->pick.ticket.at == at;
  };
  const auto found = std::ranges::find_if(sendings_, in_hand);
  if (found == sendings_.end()) return CalledBack::not_here;
  services_.buried.unbury(at);
  bool has_ended = true;
  if (withdraw_reserved([at](const Sending& reserved) { return reserved.pick.ticket.at == at; },
                        [&](const queue::Lanes::Pick& withdrawn) {
                          has_ended =
                              end_waiting(withdrawn, State::cancelled, own_outcome::kCancelled,
                                          "before it was sent", by);
                        }) == 0) {
    return CalledBack::under_way;
  }
  schedule_pump();
  return has_ended ? CalledBack::ended : CalledBack::unreadable;
}

bool CarrierDelivery::end_buried(queue::Locator at, bool possible_duplicate, std::string_view by) {
  if (possible_duplicate) {
    Retry retry = retries_.take(at);
    retry.possible_duplicate = true;
    keep_retry(at, std::move(retry));
  }
  if (!write_end({.ticket = {.at = at}}, State::cancelled, own_outcome::kCancelled,
                 "before it was sent", by)) {
    return false;
  }
  if (set_aside_.take(at)) services_.buried.unbury(at);  // its ticket has turned up
  return true;
}

FlowAtCarrier CarrierDelivery::look_at(queue::Flow flow) const {
  FlowAtCarrier at;
  at.carrier = config_.name;
  at.ready = waiting_of(flow);
  at.ready += static_cast<std::uint64_t>(
      std::ranges::count(unreadable_, flow, [](const Unreadable& each) { return each.pick.flow; }));
  at.scheduled = due_.waiting_of(flow);
  for (const auto& line : lines_) {
    at.ready += static_cast<std::uint64_t>(
        std::ranges::count(line->stash, flow, &queue::Lanes::Pick::flow));
  }
  for (const Cancelling& cancelling : cancelling_) {
    if (cancelling.flow == flow) at.ready += cancelling.kept.size() + cancelling.kept_due.size();
  }
  for (const Relocating& relocating : relocating_) {
    if (relocating.flow == flow) at.ready += relocating.kept.size() + relocating.kept_due.size();
  }
  for (const auto& each : sendings_) {
    if (!each->record.empty() && each->subject.parts > 0 && each->pick.flow == flow) ++at.reserved;
  }
  if (clearing_) {
    at.ready += static_cast<std::uint64_t>(
        std::ranges::count(clearing_->kept, flow, &queue::Lanes::Pick::flow));
    at.scheduled += static_cast<std::uint64_t>(
        std::ranges::count(clearing_->kept_due, flow, &queue::Timers::Entry::flow));
  }
  at.in_doubt = in_doubt_.of_flow(flow).size();
  at.limit = limit_of(at, flow);
  return at;
}

FlowLimit CarrierDelivery::limit_of(const FlowAtCarrier& at, queue::Flow flow) const {
  if (at.waiting() == 0) return FlowLimit::nothing;
  if (holds_.is_held_for(flow, HoldReason::paused)) return FlowLimit::paused;
  if (holds_.is_held_for(flow, HoldReason::moving)) return FlowLimit::moving;
  const bool any_bound =
      std::ranges::any_of(lines_, [](const auto& line) { return line->link->may_send(); });
  if (suspended_) return FlowLimit::suspended;
  if (!any_bound) return FlowLimit::link_down;
  if (stuck_.is_stuck()) return FlowLimit::stuck;
  if (throttle_.is_cut()) return FlowLimit::throttled;
  if (at.ready == 0) return FlowLimit::scheduled;
  if (at.ready == set_aside_.waiting_of(flow)) return FlowLimit::paused;
  if (at.ready == order_.waiting_of(flow)) return FlowLimit::order;
  if (at.ready == limits_.waiting_of(flow) || holds_.is_held_for(flow, HoldReason::crowded)) {
    return FlowLimit::limit;
  }
  if (holds_.is_held_for(flow, HoldReason::rate)) return FlowLimit::campaign_rate;
  return config_.rate > 0 ? FlowLimit::rate : FlowLimit::window;
}

// Ten times a second, of every campaign with a rate: what a dead carrier has gets no share.
void CarrierDelivery::give_back_shares(std::vector<FlowShare>& found) {
  if (shares_.is_empty()) return;
  const bool may_send =
      !suspended_ && !draining_ &&
      std::ranges::any_of(lines_, [](const auto& line) { return line->link->may_send(); });
  shares_.take_all([&](queue::Flow flow, std::uint64_t left) {
    const bool may_go =
        may_send && !holds_.is_stopped(flow) && !holds_.is_held_for(flow, HoldReason::crowded);
    const std::size_t waiting = may_go ? lanes_.waiting_of(flow) : 0;
    hold_for(flow, HoldReason::rate, true);
    if (waiting + left == 0) return;
    found.push_back({.flow = flow, .carrier = number_, .messages = left, .waiting = waiting});
  });
}

void CarrierDelivery::take_share(const FlowShare& share) {
  if (share.messages == 0 || !shares_.put(share.flow, share.messages)) return;
  hold_for(share.flow, HoldReason::rate, false);
  schedule_pump();
}

void CarrierDelivery::spend_share(queue::Flow flow) {
  if (shares_.is_empty() || shares_.spend(flow)) return;
  hold_for(flow, HoldReason::rate, true);
}

}  // namespace stentor::daemon
