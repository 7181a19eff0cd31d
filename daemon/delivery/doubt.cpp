// Messages whose answer was lost: what the policy says, what a receipt proves, what somebody says.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "daemon/delivery/addresses.h"
#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/subject_here.h"
#include "daemon/delivery/submit_composer.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/records/own_outcomes.h"
#include "queue/journal_format.h"

namespace stentor::daemon {
namespace {

std::uint64_t milliseconds_of(std::chrono::milliseconds pause) {
  return static_cast<std::uint64_t>(pause.count());
}

PartSet untaken(const Retry& retry, std::uint8_t parts) {
  PartSet doubt(parts, true);
  for (std::size_t i = 0; i < retry.taken.size() && i < doubt.size(); ++i) {
    if (retry.taken[i]) doubt[i] = false;
  }
  return doubt;
}

std::string why_unreadable(queue::Locator at, const queue::result<queue::Record>& record) {
  return fmt::format("{}: {}", queue::file_name(at.file()),
                     record ? "a record does not decode" : record.error().message());
}

bool any(const PartSet& parts) {
  return std::ranges::find(parts, true) != parts.end();
}

}  // namespace

// Writes that it is in doubt, and does what its policy says, which it returns. Under `resend` too
// it is held for a pause: a receipt in that time ends the doubt, and nothing is sent twice.
UncertainPolicy CarrierDelivery::enter_doubt(const Doubted& doubted) {
  const std::uint64_t now = wall_ms();
  UncertainWish wish = decide(doubted.accepted.uncertain, config_.uncertain);
  if (doubted.is_last) {
    if (wish.policy == UncertainPolicy::resend) wish.policy = UncertainPolicy::fail;
    if (wish.then == UncertainPolicy::resend) wish.then = UncertainPolicy::fail;
  }
  if (doubted.is_copy) wish = {.policy = UncertainPolicy::hold};
  std::uint64_t until_ms = 0;
  if (wish.policy == UncertainPolicy::wait_dlr) {
    until_ms = now + std::uint64_t{wish.seconds} * 1000;
  } else if (wish.policy == UncertainPolicy::resend) {
    until_ms = std::max(now + milliseconds_of(doubted.pause), doubted.not_before_ms);
  }
  Held held{.pick = doubted.pick,
            .retry = doubted.retry,
            .doubt = doubted.doubt,
            .since_ms = now,
            .until_ms = until_ms,
            .then = wish.policy == UncertainPolicy::wait_dlr ? wish.then : wish.policy,
            .expires_ms = doubted.accepted.expires_ms()};
  held.retry.possible_duplicate = true;
  const SubjectHere here(doubted.accepted.subject, config_.name);
  Uncertain uncertain;
  uncertain.of = {.accepted = doubted.pick.ticket.at,
                  .subject = here.octets(),
                  .time_ms = now,
                  .state = State::none,
                  .possible_duplicate = true,
                  .flow = flow_of(doubted.accepted)};
  failpoint(Failpoint::doubt_noted);
  uncertain.reason = doubted.reason;
  uncertain.policy = wish.policy;
  uncertain.until_ms = held.until_ms;
  uncertain.then = held.then;
  uncertain.parts.assign(doubted.doubt.begin(), doubted.doubt.end());
  if (doubted.written != nullptr) {
    uncertain.bind = doubted.written->link;
    uncertain.attempt = doubted.attempt;
    for (std::size_t part = 0; part < doubted.doubt.size(); ++part) {
      if (!doubted.doubt[part]) continue;
      uncertain.sequence_numbers.push_back(doubted.written->sequence_numbers[part]);
    }
  }
  outcomes_.write(uncertain);
  ++stats_.possible_duplicates;
  if (wish.policy == UncertainPolicy::fail) {
    if (!end_doubt_as_unknown(held, DoubtEnd::waited, {})) {
      held.until_ms = now;
      hold_unreadable(doubted.sequence, std::move(held));
    }
    return wish.policy;
  }
  hold_later_ones(doubted.pick,
                  wish.policy == UncertainPolicy::resend ? held.retry.refusals.first_ms() : now);
  in_doubt_.put(doubted.sequence, std::move(held));
  return wish.policy;
}

// A status that the configuration takes for no clear refusal: with the last answer the message is
// in doubt, and until then its intent says so.
void CarrierDelivery::doubt_part(std::uint32_t slot, std::uint16_t part) {
  Sending& doubted = sending(slot);
  doubted.stopped = true;
  doubted.doubtful.resize(doubted.subject.parts, false);
  doubted.doubtful[part] = true;
}

// As when the answer is lost; under `resend` as often and in such pauses as the class `doubt` has,
// then it ends as unknown.
void CarrierDelivery::leave_in_doubt(std::uint32_t slot) {
  Sending& left = sending(slot);
  ++stats_.uncertain_status;
  const std::uint8_t attempt = left.retry.next_attempt();
  left.retry.charge();
  const auto pause = count_doubt(left.retry);
  const UncertainPolicy policy = enter_doubt({.pick = left.pick,
                                              .accepted = left.accepted,
                                              .sequence = left.subject.id.sequence(),
                                              .retry = left.retry,
                                              .doubt = left.doubtful,
                                              .reason = own_outcome::kAmbiguousStatus,
                                              .pause = pause.value_or(std::chrono::seconds(0)),
                                              .written = &left,
                                              .attempt = attempt,
                                              .is_last = !pause});
  close_slot(slot);
  if (policy == UncertainPolicy::resend) ++stats_.retries_messages;
}

// A late receipt has the first pause to end the doubt; then it goes again, on whatever bind stands.
// Not a longer one for each further doubt: a link that comes and goes is not the message's fault.
std::chrono::seconds CarrierDelivery::doubt_pause() const {
  const auto& pauses = config_.retry.doubt.pauses;
  return pauses.empty() ? std::chrono::seconds(1) : pauses.front();
}

// No pause when that was the last: an SMSC that never answers for one number gets as many copies as
// its class has attempts, and no more.
std::optional<std::chrono::seconds> CarrierDelivery::count_doubt(Retry& retry) const {
  retry.refusals.count(StatusClass::doubt);
  return pause_after(retry.refusals, StatusClass::doubt);
}

// A message that was being written when the process died.
std::optional<UncertainPolicy> CarrierDelivery::restore_in_doubt(const queue::Lanes::Pick& pick) {
  const auto record = services_.reader.read(pick.ticket.at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) {
    ++stats_.records_unreadable;
    return std::nullopt;  // reserving it finds the same, and puts it off
  }
  Retry retry = retries_.take(pick.ticket.at);
  ++stats_.uncertain_crash;
  const PartSet doubt = untaken(retry, std::max<std::uint8_t>(1, subject->parts));
  const bool is_last = !count_doubt(retry);
  retry.charge();
  return enter_doubt({.pick = pick,
                      .accepted = *accepted,
                      .sequence = subject->id.sequence(),
                      .retry = std::move(retry),
                      .doubt = doubt,
                      .reason = own_outcome::kCrash,
                      .pause = doubt_pause(),
                      .is_last = is_last,
                      .is_copy = holds_restored_doubts_});
}

void CarrierDelivery::restore_held(std::uint64_t sequence, Held held) {
  if (!services_.paused.holds(held.pick.ticket.at)) {
    order_.hold(held.pick.ticket, held.since_ms, wall_ms());
  }
  in_doubt_.put(sequence, std::move(held));
}

bool CarrierDelivery::end_doubt_with_campaign(const Held& held) {
  return end_doubt(held, State::cancelled,
                   {.end = DoubtEnd::cancelled,
                    .by = {},
                    .code = own_outcome::kCancelled,
                    .detail = "with its campaign, in doubt: it may have been sent"});
}

// Some were held until now, or until they expire. The last accepted goes back first, so that the
// lane has them in their old order again.
void CarrierDelivery::end_due_doubts(std::uint64_t now_ms) {
  std::vector<std::uint64_t> due = in_doubt_.due(now_ms);
  std::ranges::sort(due, std::ranges::greater{});
  for (const std::uint64_t sequence : due) {
    auto taken = in_doubt_.take(sequence);
    if (!taken) continue;
    Held& held = *taken;
    bool has_ended = false;
    if (held.again_ms != 0 && cancellations_.covers(held.pick.flow, held.pick.ticket.at)) {
      has_ended = end_doubt_with_campaign(held);
    } else if (held.expires_ms <= now_ms) {
      has_ended = end_doubt(held, State::expired,
                            {.end = DoubtEnd::expired,
                             .by = {},
                             .code = own_outcome::kExpired,
                             .detail = "in doubt until it expired"});
    } else if (held.then == UncertainPolicy::resend) {
      has_ended = go_on(held, DoubtEnd::waited, {});
    } else if (held.then == UncertainPolicy::fail) {
      has_ended = end_doubt_as_unknown(held, DoubtEnd::waited, {});
    } else {
      held.until_ms = 0;
      in_doubt_.put(sequence, std::move(held));
      continue;
    }
    if (!has_ended) hold_unreadable(sequence, std::move(held));
  }
}

// It stays where it can be found, and what was to be done is done when it can be read.
void CarrierDelivery::hold_unreadable(std::uint64_t sequence, Held held) {
  held.again_ms = wall_ms() + kUnreadableRetryMs;
  in_doubt_.put(sequence, std::move(held));
}

// The doubt is over. With a final state so is the message; false when it could not be read.
bool CarrierDelivery::end_doubt(const Held& held, State state, const DoubtWords& words) {
  const auto record = services_.reader.read(held.pick.ticket.at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  if (!accepted) {
    ++stats_.records_unreadable;
    return false;
  }
  const SubjectHere here(accepted->subject, config_.name);
  Resolved resolved;
  resolved.of = {.accepted = held.pick.ticket.at,
                 .subject = here.octets(),
                 .time_ms = wall_ms(),
                 .state = state,
                 .possible_duplicate = true,
                 .flow = flow_of(*accepted)};
  resolved.end = words.end;
  resolved.by = words.by;
  resolved.code = words.code;
  resolved.detail = words.detail;
  outcomes_.write(resolved);
  ++stats_.doubts_ended[static_cast<std::size_t>(words.end)];
  if (is_final(state)) forget(held.pick.ticket.at);
  return true;
}

bool CarrierDelivery::end_doubt_as_unknown(const Held& held, DoubtEnd end, std::string_view by) {
  if (!end_doubt(held, State::unknown,
                 {.end = end,
                  .by = by,
                  .code = own_outcome::kUnknownAcceptance,
                  .detail = "written to the carrier, its answer lost"})) {
    return false;
  }
  ++stats_.messages_unknown;
  return true;
}

// Back into its lane, before the others: it was accepted before them.
bool CarrierDelivery::go_on(const Held& held, DoubtEnd end, std::string_view by) {
  if (!end_doubt(held, State::none, {.end = end, .by = by, .code = {}, .detail = {}})) return false;
  keep_retry(held.pick.ticket.at, held.retry);
  return_to_lane(held.pick);
  schedule_pump();
  return true;
}

std::optional<DoubtAnswer> CarrierDelivery::resolve(std::uint64_t sequence, DoubtEnd end,
                                                    const Peer& peer) {
  const Held* found = in_doubt_.find(sequence);
  if (found == nullptr) return std::nullopt;
  failpoint(Failpoint::resolve_before);
  DoubtAnswer answer{.carrier = config_.name, .state = {}, .unreadable = {}};
  const queue::Locator at = found->pick.ticket.at;
  const auto record = services_.reader.read(at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) {
    // Whose it is cannot be read either; nothing is done, so whoever asks may know why.
    answer.unreadable = why_unreadable(at, record);
    return answer;
  }
  if (subject->client != peer.client && !peer.is_admin) return std::nullopt;
  auto taken = in_doubt_.take(sequence);
  if (!taken) return std::nullopt;
  Held& held = *taken;
  Held before = held;
  bool has_ended = false;
  if (end == DoubtEnd::said_sent) {
    held.retry.taken.resize(held.doubt.size(), false);
    for (std::size_t i = 0; i < held.doubt.size(); ++i) {
      if (held.doubt[i]) held.retry.taken[i] = true;
    }
    if (std::ranges::find(held.retry.taken, false) == held.retry.taken.end()) {
      has_ended = end_doubt(held, State::sent_final,
                            {.end = end, .by = peer.client, .code = {}, .detail = {}});
      answer.state = "sent";
    } else {
      has_ended = go_on(held, end, peer.client);  // its other parts
      answer.state = "queued";
    }
  } else if (end == DoubtEnd::said_unsent) {
    has_ended = go_on(held, end, peer.client);
    answer.state = "queued";
  } else {
    has_ended = end_doubt_as_unknown(held, end, peer.client);
    answer.state = "unknown";
  }
  if (!has_ended) {  // between the two readings it has become unreadable
    in_doubt_.put(sequence, std::move(before));
    answer.unreadable = why_unreadable(at, services_.reader.read(at));
    return answer;
  }
  failpoint(Failpoint::resolve_recorded);
  schedule_pump();
  return answer;
}

// A receipt that names one of our references proves that the carrier has the segment: it is taken
// under the id that the receipt brings, and matched like any other.
void CarrierDelivery::end_doubt_by_receipt(const protocol::Receipt& receipt,
                                           std::string_view from_number) {
  if (in_doubt_.size() == 0 || !receipt.user_message_reference) return;
  for (const InDoubt::Part& named : in_doubt_.named(*receipt.user_message_reference)) {
    if (is_about(named.sequence, from_number)) return end_doubt_of(named, receipt);
  }
}

// Sixteen bits meet by chance: whom the receipt speaks of must agree. One that cannot be read stays
// held: loading it would put it off, to go again.
bool CarrierDelivery::is_about(std::uint64_t sequence, std::string_view number) {
  const auto accepted = records_.read(in_doubt_.find(sequence)->pick.ticket.at);
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) return false;
  if (is_same_number(number, subject->to)) return true;
  // A rewritten prefix may reach into the last seven digits.
  return is_same_number(number,
                        destination_on_wire(subject->to, accepted->to_short_code, config_).digits);
}

void CarrierDelivery::end_doubt_of(const InDoubt::Part& named, const protocol::Receipt& receipt) {
  auto found = in_doubt_.take(named.sequence);
  if (!found) return;
  Held& held = *found;
  Sending taken;
  keep_retry(held.pick.ticket.at, held.retry);
  if (!load(held.pick, taken)) return;
  on_part_accepted(taken, named.part, receipt.message_id);
  ++stats_.doubts_ended[static_cast<std::size_t>(DoubtEnd::receipt)];
  if (taken.taken == taken.subject.parts) {
    services_.paused.lift(held.pick.ticket.at);  // it is sent
    return order_.end(held.pick.ticket.at, wall_ms());
  }
  held.retry = std::move(taken.retry);
  held.doubt[named.part] = false;
  if (any(held.doubt) || !go_on(held, DoubtEnd::receipt, {})) {
    in_doubt_.put(named.sequence, std::move(held));
  }
}

DoubtReport CarrierDelivery::doubts(std::size_t max) {
  DoubtReport report;
  report.held = in_doubt_.size();
  std::vector<std::pair<std::uint64_t, const Held*>> oldest;  // by since when
  oldest.reserve(in_doubt_.size());
  in_doubt_.for_each([&](std::uint64_t /*sequence*/, const Held& held) {
    oldest.emplace_back(held.since_ms, &held);
  });
  const std::size_t shown = std::min(max, oldest.size());
  std::ranges::partial_sort(oldest, oldest.begin() + static_cast<std::ptrdiff_t>(shown));
  for (const auto& [since_ms, held] : std::span(oldest).first(shown)) {
    const auto accepted = records_.read(held->pick.ticket.at);
    const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
    if (!subject) continue;
    const auto id = subject->id.text();
    DoubtShown& doubt = report.longest.emplace_back();
    doubt.id = std::string_view(id.data(), id.size());
    doubt.ref = subject->ref;
    doubt.client = subject->client;
    doubt.campaign = subject->campaign;
    doubt.to = subject->to;
    doubt.since_ms = since_ms;
    doubt.until_ms = held->until_ms;
    doubt.then = held->then;
    doubt.parts = subject->parts;
    for (std::size_t part = 0; part < held->doubt.size(); ++part) {
      if (held->doubt[part]) doubt.in_doubt.push_back(static_cast<std::uint8_t>(part + 1));
    }
  }
  return report;
}

}  // namespace stentor::daemon
