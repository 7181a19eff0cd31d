// What carriers answer to our segments, and what becomes of them when a link goes.
#include <algorithm>
#include <cassert>
#include <functional>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/part_verdict.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/records/own_outcomes.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using protocol::CommandStatus;

// A carrier that floods us with receipts faster than the disk takes them: with so many waiting to
// be durable we read no more. Some 50 ms at half a million a second.
constexpr std::size_t kDeliversHeldMax = 20'000;

std::string_view reason_of(LinkLoss loss) {
  switch (loss) {
    case LinkLoss::lost: return own_outcome::kLinkLost;
    case LinkLoss::timed_out: return own_outcome::kTimeout;
    case LinkLoss::stopped: return own_outcome::kShutdown;
  }
  return own_outcome::kLinkLost;
}

std::uint64_t& uncertain_by(LinkLoss loss, CarrierStats& stats) {
  switch (loss) {
    case LinkLoss::lost: break;
    case LinkLoss::timed_out: return stats.uncertain_timeout;
    case LinkLoss::stopped: return stats.uncertain_shutdown;
  }
  return stats.uncertain_link_lost;
}

}  // namespace

void CarrierDelivery::on_link_bound(SmscLink& link) {
  lines_[link.number()]->has_taken = false;
  publish_health();
  schedule_pump();
}

void CarrierDelivery::on_link_activity() {
  schedule_pump();
}

bool CarrierDelivery::may_read(const SmscLink& link) const {
  return lines_[link.number()]->delivers.size() < kDeliversHeldMax && !services_.feed.is_full();
}

// Nothing new is reserved, and that is somebody's will or a stuck carrier's due.
bool CarrierDelivery::is_kept_back() const {
  return draining_ || suspended_ || stuck_.is_stuck() || clearing_ ||
         failover_.stage() == Failover::Stage::returning;
}

// What may go stands ready for the bind, was picked for it while it was full, or waits: in the
// lanes, in memory or on disk, at a limit that has room again, or due. What waits for its intent to
// be durable, for its time, its campaign or the rate may not go.
bool CarrierDelivery::has_work(const SmscLink& link) const {
  const Line& line = *lines_[link.number()];
  const TimePoint now = steady_now();
  if (room_of(line) == 0 || pacer_.next(now) > now) return false;
  if (!line.ready.empty()) return true;
  if (is_kept_back() || services_.feed.is_full() || !line.intending.empty()) return false;
  if (!has_room(line, reserve_limit())) return false;
  if (!line.stash.empty()) return true;
  std::size_t stashed = 0;  // for other binds; with many, nothing is picked until these have room
  for (const auto& other : lines_) stashed += other->stash.size();
  if (stashed >= kStashMax) return false;
  if (!lanes_.is_held_all() && lanes_.waiting() > lanes_.waiting_held()) return true;
  if (limits_.next() <= now) return true;
  const auto due = due_.next_due();
  return due && TimePoint(std::chrono::milliseconds(*due)) <= now;
}

void CarrierDelivery::on_submit_resp(SmscLink& link, std::uint64_t cookie, CommandStatus status,
                                     std::string_view message_id) {
  failpoint(Failpoint::response_read);
  const auto slot = static_cast<std::uint32_t>(cookie >> 8);
  const auto part = static_cast<std::uint16_t>(cookie & 0xff);
  Sending& answered = sending(slot);
  assert(answered.in_flight > 0 && "each submit_sm is answered once");
  --answered.in_flight;
  const auto now = steady_now();
  answered.response_ms = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now - answered.submitted_at[part])
          .count());
  stats_.submit_response.record(now - answered.submitted_at[part]);
  responses_.on_response(now - answered.submitted_at[part], now);
  stats_.count_status(static_cast<std::uint32_t>(status));
  if (stuck_.on_answer(now)) publish_health();
  if (status == CommandStatus::ok) {
    throttle_.on_accepted(now);
    full_queue_.on_accepted(answered.subject.to);
    Line& line = *lines_[link.number()];
    line.has_taken = true;
    (void)line.system_errors.on_answer(false, now);
    note_fault(protocol::Fault::none, now);
    if (answered.subject.parts > 1) answered.retry.bind = answered.link;
    on_part_accepted(answered, part, message_id);
  } else {
    on_part_refused(slot, part, status);
  }
  finish_when_answered(slot);
  failpoint(Failpoint::response_recorded);
}

void CarrierDelivery::on_part_accepted(Sending& answered, std::uint16_t part,
                                       std::string_view message_id) {
  answered.retry.taken[part] = true;
  ++answered.taken;
  ++stats_.segments_accepted;
  const bool complete = answered.taken == answered.subject.parts;
  // Without an id no receipt can ever be matched, so none is waited for.
  const bool is_receipt_wanted = answered.accepted.receipt != ReceiptWish::none;
  const bool is_unnamed = message_id.empty() && answered.subject.parts == 1;
  const bool no_receipt_due = !is_receipt_wanted || is_unnamed;
  State state = State::none;
  if (complete) state = no_receipt_due ? State::sent_final : State::sent;

  PartAnswered record;
  record.of = following(answered, state);
  record.part = static_cast<std::uint8_t>(part + 1);
  record.attempt = answered.retry.next_attempt();
  record.bind = answered.link;
  record.sequence_number = answered.sequence_numbers[part];
  record.response_ms = answered.response_ms;
  record.message_id = message_id;
  if (is_receipt_wanted && is_unnamed) record.code = own_outcome::kNoMessageId;
  outcomes_.write(record);
  if (complete) ++stats_.messages_sent;
  if (is_receipt_wanted) track(answered, part, message_id);
}

// Once nothing of the message is on the wire, it is done, put off, or goes on.
void CarrierDelivery::finish_when_answered(std::uint32_t slot) {
  Sending& answered = sending(slot);
  if (answered.in_flight > 0) return;
  if (answered.taken == answered.subject.parts) {
    if (!order_.is_idle()) order_.end(answered.pick.ticket.at, wall_ms());
    return close_slot(slot);
  }
  if (!answered.stopped) return;  // parts are still to be sent
  Line& line = *lines_[answered.link];
  const auto standing = std::ranges::find(line.ready, slot);
  if (standing != line.ready.end()) line.ready.erase(standing);
  if (answered.is_final) return close_slot(slot);
  if (!answered.doubtful.empty() && !answered.gave_up) return leave_in_doubt(slot);

  if (answered.gave_up || answered.refusal_status == 0) {
    fail(answered, answered.refusal_code, refusal_told(answered));
  } else {
    if (answered.is_charged) answered.retry.charge();
    ++stats_.retries_messages;
    const queue::Lanes::Pick pick = answered.pick;
    hold_later_ones(pick, answered.retry.refusals.first_ms());
    keep_retry(pick.ticket.at, std::move(answered.retry));
    retry_later(pick, answered.retry_at_ms);
  }
  close_slot(slot);
}

void CarrierDelivery::fail(Sending& failed, std::string_view code, std::string_view detail) {
  Verdict verdict;
  verdict.of = following(failed, State::failed);
  verdict.code = code;
  verdict.detail = detail;
  outcomes_.write(verdict);
  ++stats_.messages_failed;
  forget(failed.pick.ticket.at);
}

// The message is final: receipts for parts of it that still come change nothing.
void CarrierDelivery::forget(queue::Locator at) {
  retries_.forget(at);
  services_.paused.lift(at);
  order_.end(at, wall_ms());
  tracker_.forget(at);
}

void CarrierDelivery::on_link_lost(SmscLink& link, LinkLoss loss,
                                   const std::vector<protocol::Session::Unanswered>& unanswered) {
  Line& line = *lines_[link.number()];
  queries_.on_link_lost(link.number(), steady_now());
  cancels_.on_link_lost(link.number());
  std::vector<PartSet> in_doubt(sendings_.size());
  for (const auto& lost : unanswered) {
    const auto slot = static_cast<std::uint32_t>(lost.cookie >> 8);
    Sending& left = sending(slot);
    assert(left.in_flight > 0 && "what was not answered was in flight");
    --left.in_flight;
    if (lost.certainty != protocol::Certainty::in_doubt) continue;
    in_doubt[slot].resize(left.subject.parts, false);
    in_doubt[slot][lost.cookie & 0xff] = true;
  }
  std::vector<std::uint32_t> slots;
  for (std::uint32_t slot = 0; slot < sendings_.size(); ++slot) {
    if (sending(slot).subject.parts > 0 && sending(slot).link == link.number() &&
        !sending(slot).record.empty()) {
      slots.push_back(slot);
    }
  }
  line.intending.clear();
  line.intent.sequences.clear();
  line.ready.clear();
  line.delivers.clear();
  // The last accepted goes back first, so that the lane has them in their old order again.
  std::ranges::sort(slots, std::ranges::greater{},
                    [this](std::uint32_t slot) { return sending(slot).pick.ticket.at; });
  while (!line.stash.empty()) {
    under_way_.leave(line.stash.back().ticket.key);
    return_to_lane(line.stash.back());
    line.stash.pop_back();
  }
  Released released;
  released.time_ms = wall_ms();
  for (const std::uint32_t slot : slots) {
    Sending& left = sending(slot);
    if (!left.doubtful.empty()) {  // answered before, and no better known
      in_doubt[slot].resize(left.subject.parts, false);
      std::ranges::transform(in_doubt[slot], left.doubtful, in_doubt[slot].begin(),
                             std::logical_or<>());
    }
    if (in_doubt[slot].empty()) {
      released.sequences.push_back(left.subject.id.sequence());
      put_back(slot);
      continue;
    }
    ++uncertain_by(loss, stats_);
    if (left.gave_up) {  // a refused part has decided it, whatever became of this one
      left.retry.possible_duplicate = true;
      put_back(slot);
      continue;
    }
    const std::uint8_t attempt = left.retry.next_attempt();
    const bool is_last = !count_doubt(left.retry);
    const bool is_refused = left.stopped && left.retry_at_ms != 0;  // another part of it
    left.retry.charge();
    enter_doubt({.pick = left.pick,
                 .accepted = left.accepted,
                 .sequence = left.subject.id.sequence(),
                 .retry = left.retry,
                 .doubt = in_doubt[slot],
                 .reason = reason_of(loss),
                 .pause = doubt_pause(),
                 .not_before_ms = is_refused ? left.retry_at_ms : 0,
                 .written = &left,
                 .attempt = attempt,
                 .is_last = is_last});
    close_slot(slot);
  }
  if (!released.sequences.empty()) outcomes_.write(released);
  publish_health();
  schedule_pump();
}

void CarrierDelivery::put_back(std::uint32_t slot) {
  Sending& left = sending(slot);
  const queue::Lanes::Pick pick = left.pick;
  if (left.gave_up) {
    fail(left, left.refusal_code, refusal_told(left));
  } else if (left.stopped && left.retry_at_ms != 0) {
    if (left.is_charged) left.retry.charge();
    hold_later_ones(pick, left.retry.refusals.first_ms());
    keep_retry(pick.ticket.at, std::move(left.retry));
    retry_later(pick, left.retry_at_ms);
  } else {
    keep_retry(pick.ticket.at, std::move(left.retry));
    return_to_lane(pick);
  }
  close_slot(slot);
}

}  // namespace stentor::daemon
