// Single messages that are paused: put aside when their turn comes, and back when they may go.
//
// Nobody looks for the ticket of a message that is paused. It stays where it waits, and whoever
// picks it puts it aside; until then it is counted, moved, cancelled and expires like any other.
#include <algorithm>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/subject_here.h"

namespace stentor::daemon {

bool CarrierDelivery::is_put_aside(const queue::Lanes::Pick& pick) {
  if (!services_.paused.holds(pick.ticket.at)) return false;
  set_aside_.put(pick);
  return true;
}

bool CarrierDelivery::keeps_in_hand(queue::Locator at) {
  return_reserved([at](const Sending& reserved) { return reserved.pick.ticket.at == at; });
  return std::ranges::any_of(sendings_, [at](const auto& each) {
    return each->subject.parts > 0 && !each->record.empty() && each->pick.ticket.at == at;
  });
}

PauseSaid CarrierDelivery::say_paused(const PauseOrder& order) {
  if (!services_.paused.holds(order.at)) return PauseSaid::ended;
  const auto record = services_.reader.read(order.at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  if (!accepted) {
    ++stats_.records_unreadable;
    return PauseSaid::unreadable;
  }
  const SubjectHere here(accepted->subject, config_.name);
  Paused paused;
  paused.of = {.accepted = order.at,
               .subject = here.octets(),
               .time_ms = wall_ms(),
               .state = State::none,
               .possible_duplicate = false,
               .flow = flow_of(*accepted)};
  paused.is_paused = order.pauses;
  paused.by = order.by;
  outcomes_.write(paused);
  // Who holds one message back does not mean those behind it.
  if (order.pauses) order_.end(order.at, wall_ms());
  schedule_pump();
  return PauseSaid::written;
}

void CarrierDelivery::let_go(queue::Locator at) {
  const auto pick = set_aside_.take(at);
  if (!pick) return;
  return_to_lane(*pick);
  schedule_pump();
}

}  // namespace stentor::daemon
