// What becomes of a segment that a carrier did not take: slower, later, elsewhere on, or never.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/retry_schedule.h"
#include "daemon/log.h"

namespace stentor::daemon {
namespace {

using protocol::CommandStatus;
using Whose = FullQueue::Whose;

std::chrono::milliseconds since(std::uint64_t time_ms, std::uint64_t now_ms) {
  return std::chrono::milliseconds(now_ms > time_ms ? now_ms - time_ms : 0);
}

}  // namespace

struct CarrierDelivery::Refusal {
  Sending& of;
  std::uint32_t slot;
  std::uint16_t part;
  CommandStatus status;
  StatusMeaning meaning;
};

void CarrierDelivery::on_part_refused(std::uint32_t slot, std::uint16_t part,
                                      CommandStatus status) {
  const Refusal refusal{.of = sending(slot),
                        .slot = slot,
                        .part = part,
                        .status = status,
                        .meaning = status_policy_.meaning_of(status)};
  suspect(refusal);
  switch (refusal.meaning.is) {
    case StatusClass::throttle:
    case StatusClass::queue_full: return slow_down(refusal);
    case StatusClass::temporary:
    case StatusClass::unknown: return put_off_or_fail(refusal);
    case StatusClass::bind: return bind_again(refusal);
    case StatusClass::doubt: return doubt_part(slot, part);
    case StatusClass::permanent: return refuse(refusal, std::nullopt, true);
  }
}

// What one refusal says of its message, many of them say of the bind or of us.
void CarrierDelivery::suspect(const Refusal& refusal) {
  const auto now = steady_now();
  Line& line = *lines_[refusal.of.link];
  const bool is_system_error =
      refusal.status == CommandStatus::system_error && refusal.meaning.is == StatusClass::temporary;
  if (line.system_errors.on_answer(is_system_error, now)) {
    ++stats_.suspected;
    line.link->unbind_and_return(fmt::format(
        "every submit_sm of the last {} s was answered 0x00000008: binding again",
        std::chrono::duration_cast<std::chrono::seconds>(line.system_errors.lasting(now)).count()));
    publish_health();
  }
  if (refusal.meaning.is == StatusClass::permanent) {
    note_fault(protocol::fault_of(refusal.status), now);
  }
}

void CarrierDelivery::note_fault(protocol::Fault fault, TimePoint now) {
  if (addresses_refused_.on_answer(fault == protocol::Fault::address, now)) {
    log::warn(
        "carrier {}: refuses many messages for their addresses: is its route, its source or "
        "destination TON and NPI, or its rewriting right?",
        config_.name);
  }
  if (encoding_refused_.on_answer(fault == protocol::Fault::encoding, now)) {
    log::warn(
        "carrier {}: refuses many messages for how they are encoded: is its alphabet, its "
        "data_coding, or what it is sent as TLVs right?",
        config_.name);
  }
}

// The first time it is not the message's fault: it goes again, with the next bind. A message that
// new binds do not help is charged like one that is refused for now, and where its bind takes
// others it is no reason to leave it.
void CarrierDelivery::bind_again(const Refusal& refusal) {
  Sending& refused = refusal.of;
  Line& line = *lines_[refused.link];
  RefusalCounts& refusals = refused.retry.refusals;
  const bool was_told_before =
      refusals.since_ms(StatusClass::bind) != 0 && !refused.was_unbound;  // in an earlier turn
  const bool is_told_again = was_told_before || refusals.tries(StatusClass::bind) > 0;
  refused.was_unbound = true;
  if (is_told_again) {
    put_off_or_fail(refusal);
  } else {
    refusals.note(StatusClass::bind, wall_ms());
    wait_in_line(refusal.slot, refusal.part);
  }
  if (is_told_again && line.has_taken) return;
  line.link->unbind_and_return(fmt::format("a submit_sm was answered {:#010x}: binding again",
                                           static_cast<std::uint32_t>(refusal.status)));
  publish_health();
}

// Not the message's fault: no attempt is charged, it stays where it stood in the line.
void CarrierDelivery::wait_in_line(std::uint32_t slot, std::uint16_t part) {
  Sending& refused = sending(slot);
  Line& line = *lines_[refused.link];
  refused.again.push_back(part);
  has_refused_in_line_ = true;
  reserved_expire_ms_ = std::min(reserved_expire_ms_, refused.accepted.expires_ms());
  if (std::ranges::find(line.ready, slot) != line.ready.end()) return;
  // Answers to a burst come one by one: each finds its place, so that the order stays.
  const auto place = std::ranges::find_if(
      line.ready, [&](std::uint32_t other) { return sending(other).turn > refused.turn; });
  line.ready.insert(place, slot);
}

void CarrierDelivery::slow_down(const Refusal& refusal) {
  Sending& refused = refusal.of;
  RefusalCounts& refusals = refused.retry.refusals;
  const StatusClass by = refusal.meaning.is;
  const bool is_queue_full = by == StatusClass::queue_full;
  const auto now = steady_now();
  ++stats_.throttled;
  const RetryRule& rule = rule_of(config_.retry, by);
  const bool is_first = refusals.since_ms(by) == 0;
  refusals.note(by, wall_ms());
  if (rule.within.count() > 0) {
    if (is_first) write_slowed(refusal);
    if (since(refusals.since_ms(by), wall_ms()) > rule.within) {
      return refuse(refusal, std::nullopt, false);
    }
  }
  // Told twice in a row that a queue is full it steps aside: where only its destination is full,
  // nobody else need wait, and the carrier need not be slowed down for it once more.
  const bool is_told_again = !is_first || refusals.tries(by) > 0;
  const auto whose = is_queue_full ? full_queue_.on_full(refused.subject.to) : Whose::carriers;
  if (whose == Whose::carriers || (whose == Whose::not_known && !is_told_again)) cut_rate(by, now);
  const bool steps_aside =
      is_queue_full ? is_told_again : rule.attempts > 0 || !rule.pauses.empty();
  if (steps_aside) return put_off_or_fail(refusal);
  wait_in_line(refusal.slot, refusal.part);
}

void CarrierDelivery::cut_rate(StatusClass by, TimePoint now) {
  const bool is_queue_full = by == StatusClass::queue_full;
  const bool is_changed =
      is_queue_full ? throttle_.on_queue_full(now) : throttle_.on_throttled(now);
  if (!is_changed) return;
  pacer_.set_rate(throttle_.rate(), now);
  log::info("carrier {}: {}, rate is now {} segments/s", config_.name,
            is_queue_full ? "its queue is full" : "throttled", throttle_.rate());
}

// Once for a message and class: neither a lost link nor a restart gives it its time anew.
void CarrierDelivery::write_slowed(const Refusal& refusal) {
  Slowed slowed;
  slowed.of = following(refusal.of, State::none);
  slowed.command_status = static_cast<std::uint32_t>(refusal.status);
  outcomes_.write(slowed);
}

void CarrierDelivery::put_off_or_fail(const Refusal& refusal) {
  Sending& refused = refusal.of;
  const StatusClass by = refusal.meaning.is;
  if (!refused.counted.test(static_cast<std::size_t>(by))) {  // of several parts one counts
    refused.counted.set(static_cast<std::size_t>(by));
    refused.retry.refusals.count(by);
  }
  const bool is_charged = by != StatusClass::queue_full && by != StatusClass::throttle;
  refuse(refusal, pause_after(refused.retry.refusals, by), is_charged);
}

// Nothing: the class's tries or its time are used up.
std::optional<std::chrono::seconds> CarrierDelivery::pause_after(RefusalCounts& refusals,
                                                                 StatusClass by) const {
  const RetrySchedule schedule(rule_of(config_.retry, by));
  const std::uint8_t tries = refusals.tries(by);
  // The first, or one of many before a restart.
  refusals.note(by,
                wall_ms() - static_cast<std::uint64_t>(schedule.earliest(tries).count()) * 1000);
  return schedule.pause_after(tries, since(refusals.since_ms(by), wall_ms()));
}

// No pause: it was the last word.
void CarrierDelivery::refuse(const Refusal& refusal, std::optional<std::chrono::seconds> pause,
                             bool is_charged) {
  Sending& refused = refusal.of;
  refused.stopped = true;
  refused.is_charged = refused.is_charged || is_charged;
  refused.refused_part = refusal.part;
  refused.refusal_status = static_cast<std::uint32_t>(refusal.status);
  refused.refusal_code = refusal.meaning.code;
  // Of several parts the verdict tells which, once all that is on the wire has its answer.
  const bool is_verdict = !pause && refused.in_flight == 0 && refused.subject.parts == 1;

  PartAnswered record;
  record.of = following(refused, is_verdict ? State::failed : State::none);
  record.part = static_cast<std::uint8_t>(refusal.part + 1);
  record.attempt = is_charged ? refused.retry.next_attempt() : refused.retry.attempts;
  record.bind = refused.link;
  record.sequence_number = refused.sequence_numbers[refusal.part];
  record.response_ms = refused.response_ms;
  record.command_status = refused.refusal_status;
  record.code = refused.refusal_code;
  if (pause) {
    record.retry_at_ms =
        wall_ms() + static_cast<std::uint64_t>(
                        std::chrono::duration_cast<std::chrono::milliseconds>(*pause).count());
  }
  refused.retry_at_ms = std::max(refused.retry_at_ms, record.retry_at_ms);
  refused.gave_up = refused.gave_up || !pause;
  outcomes_.write(record);
  if (!is_verdict) return;
  refused.is_final = true;
  ++stats_.messages_failed;
  forget(refused.pick.ticket.at);
}

}  // namespace stentor::daemon
