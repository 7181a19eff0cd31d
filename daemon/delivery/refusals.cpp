// What becomes of a segment that a carrier did not take: slower, later, elsewhere on, or never.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/retry_schedule.h"
#include "daemon/log.h"

namespace stentor::daemon {
namespace {

using protocol::CommandStatus;
using protocol::Disposition;

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
  if (refusal.meaning.is_doubtful) return doubt_part(slot, part);
  switch (refusal.meaning.disposition) {
    case Disposition::accepted:  // an overlay names refusals only
    case Disposition::retry_later:
      return put_off_or_fail(
          refusal, refusal.meaning.is_known ? config_.retry.temporary : config_.retry.unknown,
          refusal.of.retry.attempts + 1u);
    case Disposition::give_up: return refuse(refusal, std::nullopt, true);
    case Disposition::slow_down: return slow_down(refusal);
    case Disposition::link_fault: return bind_again(refusal);
  }
}

// The first time it is not the message's fault: it goes again, with the next bind. A message that
// new binds do not help is charged like one that is refused for now, and where its bind takes
// others it is no reason to leave it.
void CarrierDelivery::bind_again(const Refusal& refusal) {
  Sending& refused = refusal.of;
  Line& line = *lines_[refused.link];
  if (!refused.was_unbound) {
    refused.was_unbound = true;
    if (refused.retry.bind_answers < UINT8_MAX) ++refused.retry.bind_answers;
  }
  const bool is_told_again = refused.retry.bind_answers > 1;
  if (is_told_again) {
    put_off_or_fail(refusal, config_.retry.temporary, refused.retry.attempts + 1u);
  } else {
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
  if (std::ranges::find(line.ready, slot) != line.ready.end()) return;
  // Answers to a burst come one by one: each finds its place, so that the order stays.
  const auto place = std::ranges::find_if(
      line.ready, [&](std::uint32_t other) { return sending(other).turn > refused.turn; });
  line.ready.insert(place, slot);
}

void CarrierDelivery::slow_down(const Refusal& refusal) {
  Sending& refused = refusal.of;
  const auto now = steady_now();
  ++stats_.throttled;
  if (refused.retry.refused_since_ms == 0) refused.retry.refused_since_ms = wall_ms();
  const RetryRule& rule =
      refusal.meaning.is_queue_full ? config_.retry.queue_full : config_.retry.throttle;
  if (rule.within.count() > 0 && since(refused.retry.refused_since_ms, wall_ms()) > rule.within) {
    return refuse(refusal, std::nullopt, true);
  }
  if (refusal.meaning.is_queue_full) {
    // Told twice in a row it steps aside: where only its destination is full, nobody else need
    // wait.
    const bool is_told_again = refused.was_full || refused.retry.full_answers > 0;
    refused.was_full = true;
    if (is_told_again) {
      refused.retry.full_answers =
          static_cast<std::uint8_t>(std::min(refused.retry.full_answers + 1, 255));
      return put_off_or_fail(refusal, rule, refused.retry.full_answers);
    }
  }
  wait_in_line(refusal.slot, refusal.part);
  const bool is_changed =
      refusal.meaning.is_queue_full ? throttle_.on_queue_full(now) : throttle_.on_throttled(now);
  if (!is_changed) return;
  pacer_.set_rate(throttle_.rate(), now);
  log::info("carrier {}: {}, rate is now {} segments/s", config_.name,
            refusal.meaning.is_queue_full ? "its queue is full" : "throttled", throttle_.rate());
}

void CarrierDelivery::put_off_or_fail(const Refusal& refusal, const RetryRule& rule,
                                      std::uint32_t attempt) {
  const RetrySchedule schedule(rule);
  std::uint64_t& first = refusal.of.retry.refused_since_ms;
  if (first == 0) {  // the first, or one of many before a restart
    first = wall_ms() - static_cast<std::uint64_t>(schedule.earliest(attempt).count()) * 1000;
  }
  const bool is_charged = refusal.meaning.disposition != Disposition::slow_down;
  refuse(refusal, schedule.pause_after(attempt, since(first, wall_ms())), is_charged);
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
  record.attempt = static_cast<std::uint8_t>(refused.retry.attempts + (is_charged ? 1 : 0));
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
