// From lane to intent: which message goes next, on which bind, and the promise on disk before it.
#include <algorithm>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/coding.h"
#include "daemon/delivery/subject_here.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/log.h"
#include "daemon/records/own_outcomes.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// One turn of the loop reserves at most this many, so that answers are read in between.
constexpr std::size_t kReserveAtOnce = 1024;
// design.md, "Intent before the wire".
constexpr std::chrono::milliseconds kReserveTime{50};
// What holds the carrier back is noted once a second: of shorter waits nothing is known.
constexpr std::uint64_t kWaitToldMs = 1000;

}  // namespace

// Window and reserve together: what may be in doubt after a crash. Ahead of a rate stand 50 ms of
// it, however much of the window is free, since what is urgent stands behind it; on a slow disk as
// much as goes out during two commits: the one under way, and the one with the next intent.
CarrierDelivery::ReserveLimit CarrierDelivery::reserve_limit() const {
  const std::size_t window = window_now();
  const std::uint32_t rate = throttle_.rate();
  if (rate == 0) return {.segments = 2 * window, .ahead = 2 * window};
  const auto of_rate = [rate](std::chrono::milliseconds time) {
    const auto thousandths = std::uint64_t{rate} * static_cast<std::uint64_t>(time.count());
    return static_cast<std::size_t>((thousandths + 999) / 1000);
  };
  return {.segments = window + std::min(window, of_rate(kReserveTime)),
          .ahead = of_rate(std::max(
              kReserveTime, std::chrono::ceil<std::chrono::milliseconds>(2 * intent_took_)))};
}

bool CarrierDelivery::has_room(const Line& line, const ReserveLimit& limit) const {
  return line.link->may_send() && line.reserved_segments < limit.segments &&
         line.ahead_segments < limit.ahead;
}

// A message longer than the limit goes alone.
bool CarrierDelivery::has_room_for(std::size_t parts, const Line& line, const ReserveLimit& limit) {
  return (line.reserved_segments == 0 || line.reserved_segments + parts <= limit.segments) &&
         (line.ahead_segments == 0 || line.ahead_segments + parts <= limit.ahead);
}

// The bind that has taken other parts of the message, the one on which something of the same key is
// under way, or the least loaded.
CarrierDelivery::Line* CarrierDelivery::line_for(const queue::Ticket& ticket) {
  if (const Retry* retry = retries_.find(ticket.at); retry != nullptr && retry->bind) {
    Line& line = *lines_[*retry->bind];
    if (line.link->may_send()) return &line;
  }
  if (const auto bind = under_way_.bind_of(ticket.key)) {
    Line& line = *lines_[*bind];
    if (line.link->may_send()) return &line;
  }
  BindChoice choice(ticket.key);
  for (const auto& line : lines_) {
    if (!line->link->may_send()) continue;
    choice.offer(line->link->number(), line->reserved_segments + line->stash.size());
  }
  const auto chosen = choice.chosen();
  return chosen ? lines_[*chosen].get() : nullptr;
}

// Urgent ones stand before the others; equal keys are of equal priority.
void CarrierDelivery::stash(Line& line, const queue::Lanes::Pick& pick) {
  const auto at = pick.priority == queue::Priority::urgent
                      ? std::ranges::find_if(line.stash,
                                             [](const queue::Lanes::Pick& each) {
                                               return each.priority != queue::Priority::urgent;
                                             })
                      : line.stash.end();
  line.stash.insert(at, pick);
}

void CarrierDelivery::reserve(TimePoint now) {
  const ReserveLimit limit = reserve_limit();
  const std::uint32_t step = expiry_now();
  std::size_t stashed = 0;
  for (const auto& line : lines_) {
    while (!line->stash.empty() && has_room(*line, limit)) {
      const queue::Lanes::Pick& pick = line->stash.front();
      if (pick.ticket.expires <= step || is_dead(pick)) {
        end_due_or_cancelled(pick);
      } else if (must_wait(pick)) {
        // It stands there now.
      } else if (reserve_one(pick, *line, limit, now, false) == Reserved::no_room) {
        break;
      }
      under_way_.leave(pick.ticket.key);
      line->stash.pop_front();
    }
    stashed += line->stash.size();
  }
  reserve_limited(limit, now);
  for (std::size_t i = 0; i < kReserveAtOnce; ++i) {
    if (stashed >= kStashMax) return;  // a bind that gets room pumps again
    // Behind a message that does not fit yet nothing goes on its bind: what is picked later is
    // picked by what has been charged until then.
    if (std::ranges::none_of(lines_, [&](const auto& line) {
          return has_room(*line, limit) && line->stash.empty();
        })) {
      return;
    }
    if (services_.feed.is_full()) return;  // the disk is behind: on_durable pumps again
    const auto pick = lanes_.pop();
    if (!pick) return;
    if (pick->ticket.expires <= step || is_dead(*pick)) {
      end_due_or_cancelled(*pick);
      continue;
    }
    if (must_wait(*pick)) continue;
    spend_share(pick->flow);
    Line& line = *line_for(pick->ticket);
    // Behind those that wait for the same bind: order holds.
    if (!has_room(line, limit) || !line.stash.empty() ||
        reserve_one(*pick, line, limit, now, false) == Reserved::no_room) {
      stash(line, *pick);
      reserved_expire_ms_ =
          std::min(reserved_expire_ms_, services_.clock.ticks().ms_of(pick->ticket.expires));
      under_way_.enter(pick->ticket.key, line.link->number());
      ++stashed;
    }
  }
  if (lanes_.has_ready()) schedule_pump();
}

// `no_room` when not all its segments fit below the limit: the caller keeps it. `otherwise`: it is
// final, put off, or parked behind a limit.
CarrierDelivery::Reserved CarrierDelivery::reserve_one(const queue::Lanes::Pick& pick, Line& line,
                                                       const ReserveLimit& limit, TimePoint now,
                                                       bool was_parked) {
  const std::uint32_t slot = open_slot();
  Sending& next = sending(slot);
  next.link = line.link->number();
  const auto close = [&](Reserved how) {
    keep_retry(pick.ticket.at, std::move(next.retry));
    next.subject.parts = 0;
    close_slot(slot);
    return how;
  };
  // What is remembered of it is kept by now where it must be: nothing of it is here any more.
  if (!load(pick, next) || has_expired(next) || is_put_off_by_hours(next) ||
      is_ended_by_opt_out(next)) {
    next.subject.parts = 0;
    close_slot(slot);
    return Reserved::otherwise;
  }
  RateLimits::Match match;
  if (!limits_.is_empty()) {
    match = limits_.match(next.subject.from, next.subject.to);
    if (match.is_any() && !was_parked && !limits_.may_go(match, now)) {
      park_at_limit(match, pick);
      return close(Reserved::otherwise);
    }
  }
  if (!has_room_for(next.subject.parts, line, limit)) return close(Reserved::no_room);
  if (match.is_any()) limits_.take(match, next.subject.parts, now);
  if (const std::uint32_t parts = next.subject.parts; parts > 1u + next.taken) {
    lanes_.charge(pick.priority, pick.flow, parts - next.taken - 1);  // the pick has paid for one
  }
  reserved_expire_ms_ = std::min(reserved_expire_ms_, next.accepted.expires_ms());
  next.turn = ++turns_;
  if (!order_.is_idle()) {
    tell_passing(pick.ticket, following(next, State::none));
    // One that had to stay goes on. A probe may not: those behind it wait for its answer.
    if (!stuck_.is_stuck()) order_.end(pick.ticket.at, wall_ms());
  }
  next.is_under_way = true;
  under_way_.enter(pick.ticket.key, line.link->number());
  next.is_ahead = true;
  line.ahead_segments += next.subject.parts;
  line.reserved_segments += next.subject.parts;
  line.intent.sequences.push_back(next.subject.id.sequence());
  line.intending.push_back(slot);
  return Reserved::yes;
}

// Its ticket has until the end of its step.
bool CarrierDelivery::has_expired(Sending& next) {
  if (is_expiry_paused() || wall_ms() < next.accepted.expires_ms()) return false;
  keep_retry(next.pick.ticket.at, std::move(next.retry));
  end_due_or_cancelled(next.pick);
  return true;
}

// Outside its hours it goes back to a timer. Where they never come, it expires there.
bool CarrierDelivery::is_put_off_by_hours(Sending& next) {
  if (!next.accepted.hours) return false;
  const std::uint64_t now = wall_ms();
  const auto opens = open_hours_.next_open(*next.accepted.hours, now);
  if (opens == now) return false;
  keep_retry(next.pick.ticket.at, std::move(next.retry));
  retry_later(next.pick, opens.value_or(now + kUnreadableRetryMs));
  return true;
}

// Its recipient said STOP since it was accepted. One whose first parts have gone goes on: half a
// text helps nobody.
bool CarrierDelivery::is_ended_by_opt_out(Sending& next) {
  const OptOuts* opt_outs = services_.inbound.opt_outs;
  if (opt_outs == nullptr || next.accepted.ignores_opt_out || next.taken > 0) return false;
  const Subject& subject = next.subject;
  const auto urgent = static_cast<std::uint8_t>(queue::Priority::urgent);
  if (!opt_outs->forbids_still({.to = subject.to,
                                .from = subject.from,
                                .campaign = subject.campaign,
                                .client = subject.client,
                                .is_urgent = next.accepted.priority == urgent})) {
    return false;
  }
  fail(next, own_outcome::kOptedOut, "its recipient has opted out since it was accepted");
  return true;
}

// Reads and plans the message. False when it is final or put off instead.
bool CarrierDelivery::load(const queue::Lanes::Pick& pick, Sending& next) {
  next.pick = pick;
  const auto record = services_.reader.read(pick.ticket.at);
  if (!record) {
    ++stats_.records_unreadable;
    if (stats_.records_unreadable <= 10) {  // a broken disk says so for each of its messages
      log::error("carrier {}: a waiting message cannot be read: {}", config_.name,
                 record.error().message());
    }
    retry_later(pick, wall_ms() + kUnreadableRetryMs);
    return false;
  }
  next.record.assign(record->payload.begin(), record->payload.end());
  const auto accepted = decode_accepted(next.record);
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) {
    ++stats_.records_unreadable;
    log::error("carrier {}: a waiting message does not decode", config_.name);
    retry_later(pick, wall_ms() + kUnreadableRetryMs);
    return false;
  }
  next.accepted = *accepted;
  next.subject = *subject;
  next.retry = retries_.take(pick.ticket.at);
  if (pick.ticket.at < doubted_before_) next.retry.possible_duplicate = true;
  next.content = content_of(next.accepted);
  auto plan = MessagePlan::make(next.content, config_, 255);
  // It was planned when it was accepted; only a changed configuration can make it fail, or cut it
  // otherwise than the parts already sent.
  const bool is_cut_otherwise = plan && plan->parts() != subject->parts;
  if (!plan || (is_cut_otherwise && !next.retry.taken.empty())) {
    fail(next, own_outcome::kNotEncodable, "the carrier's alphabet changed");
    return false;
  }
  if (is_cut_otherwise) next.subject.parts = static_cast<std::uint8_t>(plan->parts());
  SubjectHere here(next.accepted.subject, config_.name, next.subject.parts);
  if (here.is_rewritten()) {
    next.own_subject = std::move(here).take();
    next.accepted.subject = next.own_subject;
    if (const auto rewritten = decode_subject(next.own_subject)) next.subject = *rewritten;
  }
  if (!config_.receipts) next.accepted.receipt = ReceiptWish::none;
  next.plan = std::move(*plan);
  next.retry.taken.resize(next.subject.parts, false);
  next.taken = static_cast<std::uint16_t>(std::ranges::count(next.retry.taken, true));
  next.submitted_at.resize(next.subject.parts);
  next.sequence_numbers.resize(next.subject.parts);
  next.source = source_on_wire(next.subject.from, config_);
  next.destination = destination_on_wire(next.subject.to, next.accepted.to_short_code, config_);
  return true;
}

// A message that waited goes no further.
bool CarrierDelivery::end_waiting(const queue::Lanes::Pick& pick, State state,
                                  std::string_view code, std::string_view detail,
                                  std::string_view by) {
  if (write_end(pick, state, code, detail, by)) return true;
  unreadable_.push_back(
      {.pick = pick, .again = steady_now() + std::chrono::milliseconds(kUnreadableRetryMs)});
  return false;
}

// It may be readable now; else it comes here again.
void CarrierDelivery::look_at_unreadable(TimePoint now) {
  while (!unreadable_.empty() && unreadable_.front().again <= now) {
    const Unreadable each = std::move(unreadable_.front());
    unreadable_.pop_front();
    const queue::Lanes::Pick& pick = each.pick;
    if (each.is_cleared && !services_.buried.holds(pick.ticket.at)) {
      end_cleared(pick, each.cleared_by);
    } else if (pick.ticket.expires <= services_.clock.ticks().at(wall_ms()) || is_dead(pick)) {
      end_due_or_cancelled(pick);
    } else {
      return_to_lane(pick);
    }
  }
}

bool CarrierDelivery::write_end(const queue::Lanes::Pick& pick, State state, std::string_view code,
                                std::string_view detail, std::string_view by) {
  const auto record = services_.reader.read(pick.ticket.at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  if (!accepted) {
    ++stats_.records_unreadable;
    return false;
  }
  const Retry* retry = retries_.find(pick.ticket.at);
  const SubjectHere here(accepted->subject, config_.name);
  Verdict verdict;
  verdict.of = {.accepted = pick.ticket.at,
                .subject = here.octets(),
                .time_ms = wall_ms(),
                .state = state,
                .possible_duplicate = pick.ticket.at < doubted_before_ ||
                                      (retry != nullptr && retry->possible_duplicate),
                .flow = flow_of(*accepted)};
  verdict.code = code;
  verdict.detail = detail;
  verdict.by = by;
  outcomes_.write(verdict);
  stats_.count_verdict(state);
  forget(pick.ticket.at);
  return true;
}

// Why the last `fresh` of its messages waited, where one of them did for long.
void CarrierDelivery::tell_waits(Line& line, std::size_t fresh) {
  std::uint64_t since = line.intent.time_ms;
  for (std::size_t i = line.intending.size() - fresh; i < line.intending.size(); ++i) {
    const Sending& next = sending(line.intending[i]);
    since = std::min(since, std::max(next.subject.id.time_ms(), next.accepted.not_before_ms));
  }
  if (line.intent.time_ms - since < kWaitToldMs) return;
  line.intent.waits = wait_log_.since(since, limiter_.shown(steady_now()), line.intent.time_ms);
}

void CarrierDelivery::write_intents() {
  for (const auto& line : lines_) {
    if (line->intent.sequences.empty()) continue;
    failpoint(Failpoint::intent_before);
    line->intent.carrier = config_.name;
    line->intent.bind = line->link->number();
    line->intent.epoch = line->link->epoch();
    line->intent.time_ms = wall_ms();
    const std::size_t fresh = line->intent.sequences.size();
    tell_waits(*line, fresh);
    const std::uint64_t batch = outcomes_.write(line->intent);
    if (timed_intent_ == 0) {
      timed_intent_ = batch;
      intent_since_ = steady_now();
    }
    for (std::size_t i = line->intending.size() - fresh; i < line->intending.size(); ++i) {
      sending(line->intending[i]).intent_batch = batch;
    }
    line->intent.sequences.clear();
    line->intent.waits.clear();
  }
}

}  // namespace stentor::daemon
