// Messages that wait at a carrier which cannot send, on their way to another one of their route.
//
// Only what is certainly unsent moves: nothing reserved, no part taken, no doubt. A move is one
// durable record; the other carrier's shard takes the message when it is on disk.
#include <algorithm>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_fit.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/coding.h"
#include "daemon/delivery/subject_here.h"

namespace stentor::daemon {
namespace {

// One turn reads at most so many records: half a millisecond, so that other carriers of the shard
// go on.
constexpr std::size_t kJudgedAtOnce = 256;
// Tickets put back in one turn, unread: about a millisecond.
constexpr std::size_t kGivenBackAtOnce = 16'384;

}  // namespace

// Called whenever a bind came or went, and in each turn.
void CarrierDelivery::look_at_standing(TimePoint now) {
  const bool can_send =
      std::ranges::any_of(lines_, [](const auto& line) { return line->link->may_send(); });
  const bool is_up = can_send && !suspended_ && !stuck_.is_stuck();
  auto health = suspended_ ? CarrierHealth::suspended : CarrierHealth::down;
  if (is_up) health = CarrierHealth::up;
  if (can_send && !suspended_ && stuck_.is_stuck()) {
    health = stuck_.lacks_probe() ? CarrierHealth::proving : CarrierHealth::stuck;
  }
  if (services_.routing.has_stand_in(number_)) {  // else what waits here has nowhere to go
    failover_.on_standing(is_up, now, suspended_ || stuck_.is_stuck());
    failover_.on_time(now);
    failover_.on_ups(services_.routing.ups());
    // Whoever follows what is held back behind an earlier one waits with it; nobody else need.
    const bool any_waits = lanes_.waiting() + limits_.waiting() > 0;
    if (failover_.keeps_new(any_waits)) health = CarrierHealth::lost;
    const bool none_held = order_.waiting() == 0 && wall_ms() >= follows_until_ms_;
    if (is_up || none_held) services_.routing.follow_none(number_);
  }
  services_.routing.set_health(number_, health);
}

void CarrierDelivery::move_some() {
  if (draining_ || clearing_ || !services_.routing.has_stand_in(number_)) return;
  if (failover_.gives_back()) return give_back_some();
  if (failover_.stage() != Failover::Stage::away) return;
  const std::size_t first = judge_limited();
  std::vector<queue::Lanes::Pick> picks;
  picks.reserve(kJudgedAtOnce);
  if (first < kJudgedAtOnce && !services_.feed.is_full()) {
    lanes_.take_all(kJudgedAtOnce - first,
                    [&picks](const queue::Lanes::Pick& pick) { picks.push_back(pick); });
  }
  for (const queue::Lanes::Pick& pick : picks) judge(pick);
  // A full feed pumps again when a batch is on disk.
  if (lanes_.waiting() + limits_.waiting() > 0 && !services_.feed.is_full()) schedule_pump();
}

std::size_t CarrierDelivery::judge_limited() {
  std::size_t judged = 0;
  while (judged < kJudgedAtOnce && !services_.feed.is_full()) {
    const auto parked = limits_.pop_any();
    if (!parked) break;
    judge(parked->pick);
    ++judged;
  }
  return judged;
}

// What was set aside is older than all else of its flow: in `returning` the rest of the lanes goes
// behind it first, then all of it back into the lanes.
void CarrierDelivery::give_back_some() {
  const std::uint32_t seconds = wall_seconds();
  const auto push_to = [seconds](queue::Lanes& lanes) {
    return [&lanes, seconds](const queue::Lanes::Pick& pick) {
      lanes.push(pick.priority, pick.flow, pick.ticket, seconds);
    };
  };
  if (staying_.waiting() == 0) return failover_.on_returned();
  if (failover_.stage() == Failover::Stage::returning) gather_held();
  if (!is_gathered_) {
    lanes_.take_all(kGivenBackAtOnce, push_to(staying_));
    is_gathered_ = lanes_.waiting() == 0;
  } else {
    staying_.take_all(kGivenBackAtOnce, push_to(lanes_));
  }
  if (staying_.waiting() == 0) {
    is_gathered_ = false;
    failover_.on_returned();
  }
  schedule_pump();
}

// What is held back behind one that stayed goes home with it, behind it.
void CarrierDelivery::gather_held() {
  if (is_gathered_ || order_.waiting() == 0) return;
  const std::uint32_t seconds = wall_seconds();
  order_.release_all();
  const std::vector<queue::Lanes::Pick> released = order_.take_released();
  for (auto pick = released.rbegin(); pick != released.rend(); ++pick) {
    staying_.push(pick->priority, pick->flow, pick->ticket, seconds);
  }
}

// New and due messages go behind what is being given back.
queue::Lanes& CarrierDelivery::arrival_lanes() {
  return failover_.gives_back() && is_gathered_ && staying_.waiting() > 0 ? staying_ : lanes_;
}

// Moves the message, or sets it aside. Behind an earlier one of its order key it waits here too: it
// would overtake that one over there, be it in retry or one that has to stay.
void CarrierDelivery::judge(const queue::Lanes::Pick& pick) {
  const std::uint32_t seconds = wall_seconds();
  if (pick.ticket.expires <= expiry_now() || is_dead(pick)) return end_due_or_cancelled(pick);
  if (is_held_back(pick)) return let_follow(pick.ticket.key);
  if (move(pick)) return;
  staying_.push(pick.priority, pick.flow, pick.ticket, seconds);
  // Where it has waited behind an earlier one itself, those behind it have waited with it.
  if (order_.passes(pick.ticket)) return;
  hold_later_ones(pick, wall_ms());
  let_follow(pick.ticket.key);
}

// New ones of this key wait here too, for as long as an earlier one may hold them back.
void CarrierDelivery::let_follow(std::uint32_t key) {
  if (services_.order_hold.count() == 0) return;
  follows_until_ms_ = wall_ms() + static_cast<std::uint64_t>(
                                      std::chrono::milliseconds(services_.order_hold).count());
  services_.routing.follow(number_, key);
}

bool CarrierDelivery::move(const queue::Lanes::Pick& pick) {
  return move(pick, {.target = {},
                     .reason = name_of(suspended_          ? CarrierHealth::suspended
                                       : stuck_.is_stuck() ? CarrierHealth::stuck
                                                           : CarrierHealth::down)});
}

// Nothing of it was sent, as far as is known, so that it begins anew over there.
bool CarrierDelivery::move(const queue::Lanes::Pick& pick, const MoveOrder& order) {
  const Retry* retry = retries_.find(pick.ticket.at);
  if (retry != nullptr && retry->may_have_arrived()) return false;
  const auto record = services_.reader.read(pick.ticket.at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject || (accepted->names_carrier && !order.target)) return false;
  const auto target =
      order.target ? order.target
                   : services_.routing.stand_in({subject->to, subject->from, subject->campaign},
                                                number_, subject->client);
  if (!target) return false;
  const CarrierConfig& there = services_.routing.carrier(*target);
  const Content content = content_of(*accepted);
  const auto plan = MessagePlan::make(content, there, 255);
  if (!plan || misfit_of(*accepted, there)) return false;  // what the other one has no place for

  const SubjectHere told(accepted->subject, there.name, static_cast<std::uint8_t>(plan->parts()));
  Moved moved;
  moved.of = {.accepted = pick.ticket.at,
              .subject = told.octets(),
              .time_ms = wall_ms(),
              .state = State::none,
              .possible_duplicate = pick.ticket.at < doubted_before_};
  moved.from = config_.name;
  moved.to = there.name;
  moved.reason = order.reason;
  const Arrival arrival{.record_offset = 0,
                        .key = pick.ticket.key,
                        .expires_ms = accepted->expires_ms(),
                        .due_ms = order.due_ms,
                        .flow = pick.flow,
                        .carrier = *target,
                        .priority = pick.priority,
                        .at = pick.ticket.at};
  tell_passing(pick.ticket, moved.of);
  outcomes_.write(moved, arrival, services_.shards);
  retries_.forget(pick.ticket.at);
  order_.end(pick.ticket.at, wall_ms());
  ++stats_.messages_moved;
  return true;
}

}  // namespace stentor::daemon
