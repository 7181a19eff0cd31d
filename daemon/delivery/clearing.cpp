// All that waits at a carrier is cancelled by one record: what was accepted for it, or had moved to
// it, before that record and is neither under way nor in doubt.
//
// When the record is durable its place tells what is meant: one comparison for each ticket, save
// for those that another carrier handed on since, which are kept aside as they come. Nothing goes
// out until all tickets were looked at, some at each turn; then what came later goes on in its old
// order. What was under way and comes back to wait meanwhile ends with the others.
#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/log.h"
#include "daemon/records/own_outcomes.h"

namespace stentor::daemon {
namespace {

// One turn of the loop ends at most this many, so that answers are read in between: some 2 ms of
// reading their records.
constexpr std::size_t kClearedAtOnce = 512;

}  // namespace

void CarrierDelivery::cancel_waiting(std::string client, std::function<void(Cleared)> done) {
  failpoint(Failpoint::carrier_cancel_before);
  log::info("carrier {}: all that waits is cancelled by {}", config_.name, client);
  CarrierCancelled record;
  record.carrier = config_.name;
  record.time_ms = wall_ms();
  record.client = client;
  const std::uint32_t offset = outcomes_.write(record);
  clearing_asked_.push_back({.batch = outcomes_.batch(),
                             .record_offset = offset,
                             .client = std::move(client),
                             .done = std::move(done)});
  schedule_pump();
}

void CarrierDelivery::on_batch(const CommitBatch& batch) {
  outcomes_.take_told(batch, [this](queue::Locator message, const ToldPlace& told) {
    tracker_.on_told(message, told);
  });
  while (!clearing_asked_.empty() && clearing_asked_.front().batch == batch.number) {
    const ClearingAsked asked = std::move(clearing_asked_.front());
    clearing_asked_.pop_front();
    failpoint(Failpoint::carrier_cancel_durable);
    start_clearing(batch.records.at(asked.record_offset), asked.client);
    asked.done({.waiting = waiting(), .under_way = reserved_});
  }
}

void CarrierDelivery::start_clearing(queue::Locator before, std::string by) {
  return_kept();  // of an order before: this one means it too
  for (const auto& line : lines_) {
    while (!line->stash.empty()) {
      under_way_.leave(line->stash.back().ticket.key);
      return_to_lane(line->stash.back());
      line->stash.pop_back();
    }
  }
  order_.release_all();
  give_back_held();
  for (Unreadable& each : unreadable_) {
    if (each.is_cleared || each.pick.ticket.at >= before) continue;
    each.is_cleared = true;
    each.cleared_by = by;
  }
  clearing_ = Clearing{before, std::move(by), {}, {}};
  schedule_pump();
}

// What a campaign's order has taken out comes back first.
void CarrierDelivery::clear_some() {
  if (!clearing_ || !cancelling_.empty() || !relocating_.empty()) return;
  order_.release_all();
  give_back_held();
  std::size_t room = kClearedAtOnce;
  while (room > 0 && !services_.feed.is_full()) {
    std::vector<queue::Lanes::Pick> picks;
    std::vector<queue::Timers::Entry> due;
    const auto keep = [&picks](const queue::Lanes::Pick& pick) { picks.push_back(pick); };
    while (picks.size() < room) {
      const auto parked = limits_.pop_any();
      if (!parked) break;
      picks.push_back(parked->pick);
    }
    set_aside_.take_all(room - picks.size(), keep);
    staying_.take_all(room - picks.size(), keep);
    lanes_.take_all(room - picks.size(), keep);
    due_.take_all(room - picks.size(),
                  [&due](const queue::Timers::Entry& entry) { due.push_back(entry); });
    bool has_ended = false;
    for (const queue::Lanes::Pick& pick : picks) {
      if (is_dead(pick)) {
        end_due_or_cancelled(pick);
        has_ended = true;
      } else {
        clearing_->kept.push_back(pick);
      }
    }
    for (const queue::Timers::Entry& entry : due) {
      const queue::Lanes::Pick pick{
          .ticket = entry.ticket, .flow = entry.flow, .priority = entry.priority};
      if (is_dead(pick)) {
        end_due_or_cancelled(pick);
        has_ended = true;
      } else {
        clearing_->kept_due.push_back(entry);
      }
    }
    if (waiting() == unreadable_.size()) return finish_clearing();
    const std::size_t taken = picks.size() + due.size();
    room -= std::min(room, taken);
    if (taken == 0) return;  // the rest has to be read first: on_spilled pumps
    if (has_ended) failpoint(Failpoint::carrier_cancel_some);
  }
  if (!services_.feed.is_full()) schedule_pump();
}

void CarrierDelivery::finish_clearing() {
  return_kept();
  log::info("carrier {}: all that was cancelled has ended", config_.name);
  schedule_pump();
}

// The order is over: what it did not mean goes back, unless it was cancelled otherwise meanwhile.
void CarrierDelivery::return_kept() {
  if (!clearing_) return;
  const Clearing done = std::move(*clearing_);
  clearing_.reset();
  const std::uint32_t seconds = wall_seconds();
  std::set<queue::Flow> moved;  // an order to move them came meanwhile, and found none here
  for (const queue::Lanes::Pick& pick : done.kept) {
    if (is_dead(pick)) {
      end_due_or_cancelled(pick);
    } else {
      lanes_.push(pick.priority, pick.flow, pick.ticket, seconds);
      if (is_to_relocate(pick)) moved.insert(pick.flow);
    }
  }
  for (const queue::Timers::Entry& entry : done.kept_due) {
    const queue::Lanes::Pick pick{
        .ticket = entry.ticket, .flow = entry.flow, .priority = entry.priority};
    if (is_dead(pick)) {
      end_due_or_cancelled(pick);
    } else {
      due_.push(entry.due_ms, entry.priority, entry.flow, entry.ticket);
      if (is_to_relocate(pick)) moved.insert(pick.flow);
    }
  }
  for (const queue::Flow flow : moved) start_relocating(flow);
}

// One that cannot be read now ends when it can be, however long the others took.
void CarrierDelivery::end_cleared(const queue::Lanes::Pick& pick, const std::string& by) {
  if (write_end(pick, State::cancelled, own_outcome::kCancelled,
                "with all that waited for its carrier", by)) {
    return;
  }
  unreadable_.push_back({.pick = pick,
                         .again = steady_now() + std::chrono::milliseconds(kUnreadableRetryMs),
                         .is_cleared = true,
                         .cleared_by = by});
}

void CarrierDelivery::keep_aside(const queue::Lanes::Pick& pick, std::uint64_t due_ms) {
  assert(clearing_ && "beside an order there is nothing to keep aside from");
  if (due_ms == 0) {
    clearing_->kept.push_back(pick);
  } else {
    clearing_->kept_due.push_back({.due_ms = steady_due(pick.ticket, due_ms),
                                   .ticket = pick.ticket,
                                   .flow = pick.flow,
                                   .priority = pick.priority});
  }
}

void CarrierDelivery::restore_kept(const queue::Lanes::Pick& pick, std::uint64_t due_ms) {
  keep_aside(pick, due_ms > wall_ms() ? due_ms : 0);
}

}  // namespace stentor::daemon
