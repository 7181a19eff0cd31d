// What waits behind an earlier message of its order key: held back, given back, or passing.
#include <algorithm>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"

namespace stentor::daemon {

// It waits for its next attempt, or for somebody's word.
void CarrierDelivery::hold_later_ones(const queue::Lanes::Pick& holder, std::uint64_t since_ms) {
  const std::uint64_t now = wall_ms();
  order_.hold(holder.ticket, since_ms == 0 ? now : since_ms, now);
  if (order_.holders() > 0) just_held_.push_back(holder.ticket);
}

// Paused, or held back behind an earlier one? Then it stands there now.
bool CarrierDelivery::must_wait(const queue::Lanes::Pick& pick) {
  return is_put_aside(pick) || is_held_back(pick);
}

bool CarrierDelivery::is_held_back(const queue::Lanes::Pick& pick) {
  if (order_.is_idle()) return false;
  const std::uint64_t now = wall_ms();
  if (!order_.holds_back(pick.ticket, now)) return false;
  order_.park(pick, now);
  return true;
}

// Later ones that were reserved when the earlier one was refused, and of which nothing is written.
void CarrierDelivery::withdraw_later_ones() {
  if (just_held_.empty()) return;
  const std::uint64_t now = wall_ms();
  std::erase_if(just_held_,
                [this](const queue::Ticket& ticket) { return !under_way_.bind_of(ticket.key); });
  if (!just_held_.empty()) {
    std::ranges::sort(just_held_, {}, &queue::Ticket::key);
    Released released;
    released.time_ms = now;
    const auto must_wait_now = [&](const Sending& reserved) {
      const queue::Ticket& ticket = reserved.pick.ticket;
      if (!std::ranges::binary_search(just_held_, ticket.key, {}, &queue::Ticket::key))
        return false;
      if (!order_.holds_back(ticket, now)) return false;
      released.sequences.push_back(reserved.subject.id.sequence());
      return true;
    };
    (void)withdraw_reserved(must_wait_now,
                            [&](const queue::Lanes::Pick& pick) { order_.park(pick, now); });
    if (!released.sequences.empty()) outcomes_.write(released);
  }
  just_held_.clear();
}

void CarrierDelivery::give_back_held() {
  if (order_.is_idle()) return;
  order_.on_time(wall_ms());
  const std::uint32_t seconds = wall_seconds();
  for (const queue::Lanes::Pick& pick : order_.take_released()) {
    arrival_lanes().push_front(pick.priority, pick.flow, pick.ticket, seconds);
  }
}

// Reserved or moved, and an earlier one of its key still waits: its history says so.
void CarrierDelivery::tell_passing(const queue::Ticket& ticket, const Following& passing) {
  if (order_.is_idle()) return;
  const auto earlier = order_.passes(ticket);
  if (!earlier) return;
  const auto record = services_.reader.read(*earlier);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) return;  // whom it passes cannot be told
  Passed passed;
  passed.of = passing;
  passed.earlier = subject->id;
  outcomes_.write(passed);
  ++stats_.order_passed;
}

CarrierDelivery::TimePoint CarrierDelivery::next_release(TimePoint now) const {
  const auto next = order_.next_ms();
  if (!next) return TimePoint::max();
  const std::uint64_t date = wall_ms();
  return now + std::chrono::milliseconds(*next > date ? *next - date : 0);
}

}  // namespace stentor::daemon
