// What waits for its carrier: its expiry, and its place on disk where memory does not suffice.
#include "daemon/delivery/carrier_delivery.h"
#include "daemon/log.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// Each is a push into a lane: a millisecond of them, then others have a turn.
constexpr std::size_t kDueAtOnce = 8192;
// Each needs its record read and its verdict written: 5 to 10 ms of them, then others have a turn.
constexpr std::size_t kExpireAtOnce = 1024;
// What expires on disk is read meanwhile; an event 20 ms late is on time.
constexpr auto kExpiryStep = 20ms;

}  // namespace

// What was tried before goes before the others of its flow; what comes for the first time behind
// them, so that a mailing of one moment keeps its order.
void CarrierDelivery::take_due(TimePoint now) {
  using std::chrono::milliseconds;
  const auto now_ms = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  const std::uint32_t seconds = wall_seconds();
  for (std::size_t i = 0; i < kDueAtOnce; ++i) {
    const auto entry = due_.pop_due(now_ms);
    if (!entry) return;
    const queue::Lanes::Pick pick{
        .ticket = entry->ticket, .flow = entry->flow, .priority = entry->priority};
    if (is_dead(pick)) {
      end_due_or_cancelled(pick);
    } else if (is_expiry_paused() && pick.ticket.expires <= services_.clock.ticks().at(wall_ms())) {
      put_on_timer(pick, services_.clock.expiry_from_ms());
    } else if (retries_.contains(pick.ticket.at)) {
      return_to_lane(pick);
    } else {
      arrival_lanes().push(pick.priority, pick.flow, pick.ticket, seconds);
    }
  }
  schedule_pump();
}

void CarrierDelivery::expire_waiting(TimePoint now) {
  if (is_expiry_paused()) return;
  const std::uint32_t step = expiry_now();
  const auto is_due = [step](const auto& waiting) {
    return waiting.earliest_expiry().value_or(step + 1) <= step;
  };
  if (now < next_expiry_look_ || (!is_due(lanes_) && !is_due(staying_) && !is_due(set_aside_) &&
                                  !is_due(limits_) && !is_due(order_))) {
    return;
  }
  if (!services_.feed.is_full()) {
    const auto end = [this](const queue::Lanes::Pick& pick) { end_due_or_cancelled(pick); };
    std::size_t room = kExpireAtOnce;
    const auto take_from = [&](auto& waiting) { room -= waiting.take_expired(step, room, end); };
    take_from(lanes_);
    take_from(staying_);
    take_from(set_aside_);
    take_from(limits_);
    for (const queue::Lanes::Pick& pick : order_.take_expired(step, room)) {
      end(pick);
      --room;
    }
    if (room == 0) return schedule_pump();
  }
  next_expiry_look_ = now + kExpiryStep;
}

// When the next message expires, so that its event comes then.
CarrierDelivery::TimePoint CarrierDelivery::next_expiry(TimePoint now) const {
  auto earliest = lanes_.earliest_expiry();
  for (const auto other : {staying_.earliest_expiry(), order_.earliest_expiry(),
                           set_aside_.earliest_expiry(), limits_.earliest_expiry()}) {
    if (other) earliest = std::min(earliest.value_or(*other), *other);
  }
  if (!earliest) return TimePoint::max();
  const std::chrono::milliseconds until(
      std::max(services_.clock.ticks().ms_of(*earliest), services_.clock.expiry_from_ms()));
  const std::chrono::milliseconds date(wall_ms());
  return std::max(now + std::max(until - date, 0ms), next_expiry_look_);
}

void CarrierDelivery::on_spilled() {
  if (lanes_.waiting() + staying_.waiting() + due_.size() > 0) schedule_pump();
}

void CarrierDelivery::watch_spill() {
  const queue::SpillStore* failing = nullptr;
  for (queue::SpillStore* store : {&timers_spill_, &staying_spill_, &spill_}) {
    store->retry();
    if (store->stats().is_failing) failing = store;
  }
  const bool is_failing = failing != nullptr;
  if (is_failing == is_spill_failing_) return;
  is_spill_failing_ = is_failing;
  if (failing != nullptr) {
    log::error(
        "carrier {}: {} waiting messages should go to disk and cannot: {}; nothing is "
        "lost, they stay in memory",
        config_.name, lanes_.waiting_spilled() + staying_.waiting_spilled() + due_.spilled(),
        failing->stats().last_error.message());
  } else {
    log::info("carrier {}: waiting messages go to disk again", config_.name);
  }
}

}  // namespace stentor::daemon
