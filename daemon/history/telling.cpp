#include "daemon/history/telling.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/delivery/coding.h"
#include "daemon/history/campaign_pauses.h"
#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"
#include "daemon/records/accept_reasons.h"
#include "daemon/records/cancel_records.h"
#include "daemon/records/doubt_records.h"
#include "daemon/records/own_outcomes.h"
#include "daemon/tracking/outcome_codes.h"
#include "protocol/receipt.h"

namespace stentor::daemon {
namespace {

// A carrier's words are cut here: `stat` and `err` have a few octets, an id 65 by the standard. It
// is shown whole where a message can be asked for by it.
constexpr std::size_t kWordOctetsMax = 80;
constexpr std::size_t kIdOctetsMax = 256;
constexpr std::size_t kDetailOctetsMax = 300;
// Less than this between reserving and writing is what an intent takes on a busy disk.
constexpr std::uint64_t kBindWaitToldMs = 100;

void append_word(std::string_view key, std::string_view word, std::string& out,
                 std::size_t octets_max = kWordOctetsMax) {
  if (word.empty()) return;
  append_key(key, out);
  append_json_untrusted(word, octets_max, out);
}

std::string_view priority_word(std::uint8_t priority) {
  return priority == 0 ? "urgent" : priority == 1 ? "normal" : "bulk";
}

State part_state_of(std::uint8_t message_state) {
  switch (protocol::verdict_of(static_cast<protocol::MessageState>(message_state))) {
    case protocol::ReceiptVerdict::intermediate: return State::none;
    case protocol::ReceiptVerdict::delivered: return State::delivered;
    case protocol::ReceiptVerdict::failed: return State::failed;
    case protocol::ReceiptVerdict::expired: return State::expired;
    case protocol::ReceiptVerdict::unknown: return State::unknown;
  }
  return State::none;
}

// Where a receipt's id did not tell whose it is.
void append_matched_by(bool is_by_reference, std::string& out) {
  if (is_by_reference) append_member("matched_by", "user_message_reference", out);
}

// What a receipt says that has no words: SMPP 3.4 section 5.2.28.
void append_message_state(std::uint8_t state, std::string& out) {
  append_member("message_state", protocol::name_of(static_cast<protocol::MessageState>(state)),
                out);
}

// What was written and not answered.
void append_lost(std::uint16_t bind, const Uncertain& uncertain, std::string& out) {
  append_member("bind", bind, out);
  open_list("sequences", out);
  for (const std::uint32_t number : uncertain.sequence_numbers) {
    if (out.back() != '[') out.push_back(',');
    out.append(std::to_string(number));
  }
  out.push_back(']');
}

}  // namespace

Telling::Telling(const Accepted& accepted, const Subject& subject, const Config& config,
                 OpenHours& open_hours, std::vector<Stretch> pauses)
    : accepted_(accepted),
      subject_(subject),
      config_(config),
      open_hours_(open_hours),
      pauses_(std::move(pauses)),
      waiting_since_ms_(subject.id.time_ms()),
      due_ms_(accepted.not_before_ms),
      due_cause_("not_before"),
      parts_(subject.parts) {
  tell_accepted();
}

void Telling::step(std::uint64_t time_ms, std::string_view what) {
  if (!steps_.empty()) steps_.push_back(',');
  steps_.push_back('{');
  append_time("time", time_ms, steps_);
  append_member("what", what, steps_);
}

void Telling::note(const Following& of) {
  if (of.state != State::none) state_ = of.state;
  possible_duplicate_ = possible_duplicate_ || of.possible_duplicate;
  if (of.possible_duplicate) steps_.append(",\"possible_duplicate\":true");
  if (of.state != State::none) append_member("state", name_of(of.state), steps_);
}

bool Telling::is_about(const Following& of) const {
  const auto subject = decode_subject(of.subject);
  return subject && subject->id == subject_.id;
}

bool Telling::is_among(const std::vector<std::uint64_t>& sequences) const {
  return std::ranges::find(sequences, subject_.id.sequence()) != sequences.end();
}

Telling::PartStanding* Telling::part(std::uint8_t number) {
  return number >= 1 && number <= parts_.size() ? &parts_[number - 1u] : nullptr;
}

// How its text travels and what made it so. An older record does not say: it is planned once more,
// as the carrier's configuration is now.
void Telling::append_encoding(std::string& out) const {
  auto reason = decode_encoding_reason(accepted_.encoding_reason);
  if (!reason) {
    const auto carrier =
        std::ranges::find(config_.carriers, subject_.carrier, &CarrierConfig::name);
    if (carrier == config_.carriers.end()) return;
    const Content content = content_of(accepted_);
    const auto plan = MessagePlan::make(content, *carrier, 255);
    if (!plan) return;
    reason = reason_of(*plan, content);
  }
  append_member("encoding", reason->encoding, out);
  append_member("encoding_reason", describe(*reason), out);
}

// What led to its carrier, and who could have had it before.
void Telling::append_route(std::string& out) const {
  const auto reason = decode_route_reason(accepted_.route_reason);
  if (!reason) return;
  if (!reason->is_named) append_member("route", std::uint64_t{reason->route}, out);
  append_member("route_reason", describe(*reason, subject_.to), out);
  if (reason->passed_over.empty()) return;
  open_list("passed_over", out);
  for (const RouteReason::PassedOver& passed : reason->passed_over) {
    open_object(out);
    append_member("carrier", passed.carrier, out);
    append_member("health", passed.health, out);
    out.push_back('}');
  }
  out.push_back(']');
}

void Telling::tell_wait(const Stretch& stretch) {
  step(stretch.from_ms, "waited");
  append_member("cause", stretch.cause, steps_);
  append_time("until", stretch.until_ms, steps_);
  append_member("ms", stretch.until_ms - stretch.from_ms, steps_);
  end();
}

// Reserved messages are the next that a bind's window and the carrier's rate let out.
void Telling::tell_wait_at_bind(const PartAnswered& answered) {
  if (answered.sequence_number == 0 || reserved_ms_ == 0) return;  // an older record has no number
  const std::uint64_t reserved = std::exchange(reserved_ms_, 0);
  const std::uint64_t submitted = answered.of.time_ms - answered.response_ms;
  if (submitted < reserved + kBindWaitToldMs) return;
  tell_wait({reserved, submitted, "bind"});
}

// A wait is over: its causes, each with its time.
void Telling::tell_waits(std::uint64_t until_ms, std::vector<WaitSpan> carrier) {
  if (!waiting_since_ms_) return;
  std::vector<Stretch> pauses = own_pauses_;
  pauses.insert(pauses.end(), pauses_.begin(), pauses_.end());
  const Wait wait{.from_ms = *waiting_since_ms_,
                  .until_ms = std::max(until_ms, *waiting_since_ms_),
                  .due_ms = due_ms_,
                  .due_cause = due_cause_,
                  .hours = accepted_.hours,
                  .pauses = std::move(pauses),
                  .carrier = std::move(carrier)};
  for (const Stretch& stretch : causes_of(wait, open_hours_)) {
    tell_wait(stretch);
  }
  waiting_since_ms_.reset();
}

// It is back among those that wait.
void Telling::wait_again(std::uint64_t since_ms) {
  if (!waiting_since_ms_) waiting_since_ms_ = since_ms;
}

void Telling::tell_waiting(std::uint64_t now_ms, std::uint8_t limiter) {
  if (!waiting_since_ms_ || is_final(state_)) return;
  const std::uint64_t since = *waiting_since_ms_;
  std::string_view cause;
  std::uint64_t until = 0;
  std::uint64_t opens = 0;  // 0: it has no hours, or they never come
  if (accepted_.hours) {
    opens = open_hours_.next_open(*accepted_.hours, std::max(now_ms, due_ms_)).value_or(0);
  }
  const bool with_campaign = !pauses_.empty() && pauses_.back().until_ms > now_ms;
  if (due_ms_ > now_ms) {
    cause = due_cause_;
    until = due_ms_;
  } else if (opens > now_ms) {
    cause = "hours";
    until = opens;
  } else {
    cause = with_campaign || is_paused() ? "pause" : cause_of_limiter(limiter);
  }
  tell_waits(now_ms, {});
  step(now_ms, "waiting");
  append_member("cause", cause, steps_);
  append_time("since", since, steps_);
  if (until != 0) append_time("until", until, steps_);
  end();
}

void Telling::tell_accepted() {
  step(subject_.id.time_ms(), "accepted");
  append_member("client", subject_.client, steps_);
  append_member("carrier", subject_.carrier, steps_);
  append_member("priority", priority_word(accepted_.priority), steps_);
  append_route(steps_);
  append_encoding(steps_);
  if (accepted_.not_before_ms != 0) append_time("not_before", accepted_.not_before_ms, steps_);
  if (accepted_.hours) append_member("hours", to_string(*accepted_.hours), steps_);
  end();
}

void Telling::tell_intent(const Intent& intent) {
  was_intended_ = true;
  const std::uint64_t since = std::max(waiting_since_ms_.value_or(intent.time_ms), due_ms_);
  tell_waits(intent.time_ms, intent.waits);
  due_ms_ = 0;
  reserved_ms_ = intent.time_ms;
  step(intent.time_ms, "reserved");
  append_member("carrier", intent.carrier, steps_);
  append_member("bind", intent.bind, steps_);
  append_member("connection", intent.epoch, steps_);
  if (intent.time_ms > since) append_member("waited_ms", intent.time_ms - since, steps_);
  end();
}

void Telling::tell_part(const PartAnswered& answered) {
  tell_wait_at_bind(answered);
  const bool is_taken = answered.command_status == 0;
  step(answered.of.time_ms, is_taken ? "part_accepted" : "part_refused");
  append_member("part", answered.part, steps_);
  append_member("attempt", answered.attempt, steps_);
  append_member("bind", answered.bind, steps_);
  if (answered.sequence_number != 0) {
    append_member("sequence", answered.sequence_number, steps_);
    append_member("response_ms", answered.response_ms, steps_);
  }
  append_member("command_status", fmt::format("{:#010x}", answered.command_status), steps_);
  append_word("carrier_id", answered.message_id, steps_, kIdOctetsMax);
  if (!answered.code.empty()) append_member("code", answered.code, steps_);
  if (answered.retry_at_ms != 0) append_time("again_at", answered.retry_at_ms, steps_);
  note(answered.of);
  end();
  if (answered.retry_at_ms != 0) {
    wait_again(answered.of.time_ms);
    due_ms_ = std::max(due_ms_, answered.retry_at_ms);
    due_cause_ = "retry";
  }
  if (PartStanding* standing = part(answered.part); standing != nullptr && is_taken) {
    standing->taken_ms = answered.of.time_ms;
    standing->carrier_id = answered.message_id;
    standing->state = State::sent;
  }
}

void Telling::tell_receipt(const ReceiptCame& receipt, bool is_repeated) {
  step(receipt.of.time_ms, "receipt");
  append_member("part", receipt.part, steps_);
  if (receipt.came_at_ms() < receipt.of.time_ms) append_time("came", receipt.came_ms, steps_);
  append_word("stat", receipt.stat, steps_);
  if (receipt.stat.empty()) append_message_state(receipt.message_state, steps_);
  append_word("err", receipt.err, steps_);
  append_word("carrier_id", receipt.message_id, steps_, kIdOctetsMax);
  append_word("sub", receipt.sub, steps_);
  append_word("dlvrd", receipt.dlvrd, steps_);
  append_word("submit_date", receipt.submit_date, steps_);
  append_word("done_date", receipt.done_date, steps_);
  append_matched_by(receipt.by_reference, steps_);
  if (receipt.network_error_code != 0) {
    append_member(
        "network_error_code",
        fmt::format("{}:{}", receipt.network_error_code >> 16, receipt.network_error_code & 0xffff),
        steps_);
  }
  if (!receipt.is_final_for_part) steps_.append(",\"intermediate\":true");
  if (is_repeated) steps_.append(",\"repeated\":true");
  if (!receipt.code.empty()) append_member("code", receipt.code, steps_);
  append_word("detail", receipt.message_detail, steps_, kDetailOctetsMax);
  if (receipt.corrects != State::none) {
    append_member("corrects", name_of(receipt.corrects), steps_);
  }
  note(receipt.of);
  end();
  if (is_repeated) return;  // the part stands where it stood
  if (PartStanding* standing = part(receipt.part);
      standing != nullptr && receipt.is_final_for_part) {
    standing->state = receipt.code == own_outcome::kCancelled
                          ? State::cancelled
                          : part_state_of(receipt.message_state);
    // One that was ahead of the response says so at once.
    standing->reported_ms = std::max(receipt.came_at_ms(), standing->taken_ms);
  }
}

void Telling::tell_verdict(const Verdict& verdict) {
  if (is_final(verdict.of.state)) tell_waits(verdict.of.time_ms, {});
  step(verdict.of.time_ms, "verdict");
  append_member("code", verdict.code, steps_);
  if (!verdict.by.empty()) append_member("by", verdict.by, steps_);
  append_word("detail", verdict.detail, steps_, kDetailOctetsMax);
  note(verdict.of);
  end();
}

// A receipt as it came, against one that was the last word on its part.
void Telling::tell_conflict(const Conflict& conflict) {
  step(conflict.of.time_ms, "conflict");
  if (conflict.part != 0) append_member("part", conflict.part, steps_);
  append_word("carrier_id", conflict.message_id, steps_, kIdOctetsMax);
  append_word("done_date", conflict.done_date, steps_);
  append_matched_by(conflict.by_reference, steps_);
  append_member("code", conflict.code, steps_);
  append_word("detail", conflict.detail, steps_, kDetailOctetsMax);
  note(conflict.of);
  end();
}

void Telling::tell_cancel(const CancelAnswered& answered) {
  step(answered.of.time_ms, "cancel_at_carrier");
  append_member("part", answered.part, steps_);
  append_member("by", answered.by, steps_);
  append_word("carrier_id", answered.message_id, steps_, kIdOctetsMax);
  if (answered.is_answered) {
    append_member("command_status", fmt::format("{:#010x}", answered.command_status), steps_);
  } else {
    append_member("detail", "the carrier did not answer", steps_);
  }
  end();
}

// It waits on, where it waited: `waited` says from when till when it was paused.
void Telling::tell_paused(const Paused& paused) {
  step(paused.of.time_ms, paused.is_paused ? "paused" : "resumed");
  append_member("by", paused.by, steps_);
  end();
  if (!own_pauses_.empty() && own_pauses_.back().until_ms == kPauseGoesOn) {
    own_pauses_.back().until_ms = paused.of.time_ms;
  }
  if (paused.is_paused) own_pauses_.push_back({paused.of.time_ms, kPauseGoesOn, "pause"});
}

bool Telling::is_paused() const noexcept {
  return state_ == State::none && !own_pauses_.empty() &&
         own_pauses_.back().until_ms == kPauseGoesOn;
}

std::vector<Telling::AtCarrier> Telling::at_carrier() const {
  std::vector<AtCarrier> found;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].state != State::sent || parts_[i].carrier_id.empty()) continue;
    found.push_back({static_cast<std::uint8_t>(i + 1), parts_[i].carrier_id});
  }
  return found;
}

// Kinds that speak of no message, and kinds of a later version, tell nothing.
void Telling::tell(const queue::Record& record) {
  const auto kind = static_cast<RecordKind>(record.kind);
  if (kind == RecordKind::intent) {
    const auto intent = decode_intent(record.payload);
    if (intent && is_among(intent->sequences)) tell_intent(*intent);
  } else if (kind == RecordKind::released) {
    const auto released = decode_released(record.payload);
    if (!released || !is_among(released->sequences)) return;
    wait_again(released->time_ms);
    step(released->time_ms, "released");
    append_member("detail", "it was not written after all", steps_);
    end();
  } else if (kind == RecordKind::part) {
    const auto answered = decode_part(record.payload);
    if (answered && is_about(answered->of)) tell_part(*answered);
  } else if (kind == RecordKind::receipt || kind == RecordKind::receipt_again) {
    const auto receipt = decode_receipt(record.payload);
    if (receipt && is_about(receipt->of)) {
      tell_receipt(*receipt, kind == RecordKind::receipt_again);
    }
  } else if (kind == RecordKind::verdict) {
    const auto verdict = decode_verdict(record.payload);
    if (verdict && is_about(verdict->of)) tell_verdict(*verdict);
  } else if (kind == RecordKind::conflict) {
    const auto conflict = decode_conflict(record.payload);
    if (conflict && is_about(conflict->of)) tell_conflict(*conflict);
  } else if (kind == RecordKind::resolved) {
    const auto resolved = decode_resolved(record.payload);
    if (!resolved || !is_about(resolved->of)) return;
    if (!is_final(resolved->of.state) && resolved->of.state != State::sent) {
      wait_again(resolved->of.time_ms);
    }
    step(resolved->of.time_ms, "resolved");
    append_member("as", name_of(resolved->end), steps_);
    if (!resolved->by.empty()) append_member("by", resolved->by, steps_);
    if (!resolved->code.empty()) append_member("code", resolved->code, steps_);
    append_word("detail", resolved->detail, steps_, kDetailOctetsMax);
    note(resolved->of);
    end();
  } else if (kind == RecordKind::moved) {
    const auto moved = decode_moved(record.payload);
    if (!moved || !is_about(moved->of)) return;
    tell_waits(moved->of.time_ms, {});
    wait_again(moved->of.time_ms);
    step(moved->of.time_ms, "moved");
    append_member("from", moved->from, steps_);
    append_member("to", moved->to, steps_);
    append_member("reason", moved->reason, steps_);
    end();
    carrier_ = moved->to;
  } else if (kind == RecordKind::passed) {
    const auto passed = decode_passed(record.payload);
    if (!passed || !is_about(passed->of)) return;
    const auto earlier = passed->earlier.text();
    step(passed->of.time_ms, "passed");
    append_member("earlier", {earlier.data(), earlier.size()}, steps_);
    append_member("detail", "an earlier one of its order, in retry or in doubt", steps_);
    end();
  } else if (kind == RecordKind::uncertain) {
    const auto uncertain = decode_uncertain(record.payload);
    if (!uncertain || !is_about(uncertain->of)) return;
    // Held, it waits for no turn; `resolved` says when it does again. Under `resend` it was not
    // held in older records.
    if (uncertain->policy == UncertainPolicy::resend && uncertain->until_ms == 0) {
      wait_again(uncertain->of.time_ms);
    }
    step(uncertain->of.time_ms, "uncertain");
    append_member("reason", uncertain->reason, steps_);
    append_member("policy", word_of(uncertain->policy), steps_);
    if (uncertain->until_ms != 0) append_time("until", uncertain->until_ms, steps_);
    if (uncertain->attempt > 0) append_member("attempt", uncertain->attempt, steps_);
    if (uncertain->bind) append_lost(*uncertain->bind, *uncertain, steps_);
    note(uncertain->of);
    end();
  } else if (record.kind == kCancelAnsweredRecord) {
    const auto answered = decode_cancel_answered(record.payload);
    if (answered && is_about(answered->of)) tell_cancel(*answered);
  } else if (record.kind == kPausedRecord) {
    const auto paused = decode_paused(record.payload);
    if (paused && is_about(paused->of)) tell_paused(*paused);
  } else if (record.kind == kTakenTwiceRecord) {
    const auto twice = decode_taken_twice(record.payload);
    if (twice && is_about(twice->of)) tell_taken_twice(*twice);
  }
}

// Two receipts, two ids: both attempts were accepted.
void Telling::tell_taken_twice(const TakenTwice& twice) {
  step(twice.of.time_ms, "confirmed_duplicate");
  append_member("part", twice.part, steps_);
  append_word("carrier_id", twice.message_id, steps_, kIdOctetsMax);
  append_word("other_carrier_id", twice.other_message_id, steps_, kIdOctetsMax);
  append_member("detail", "the carrier took it twice: two receipts, under two ids", steps_);
  note(twice.of);
  end();
}

void Telling::append_parts(std::string& out) const {
  open_list("parts", out);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const PartStanding& standing = parts_[i];
    if (i > 0) out.push_back(',');
    out.push_back('{');
    append_member("part", i + 1, out);
    append_member("state", standing.state == State::none ? "waiting" : name_of(standing.state),
                  out);
    append_word("carrier_id", standing.carrier_id, out, kIdOctetsMax);
    if (standing.reported_ms >= standing.taken_ms && standing.taken_ms != 0) {
      append_member("receipt_after_ms", standing.reported_ms - standing.taken_ms, out);
    }
    out.push_back('}');
  }
  out.push_back(']');
  append_latencies(out);
}

// From the first part that the carrier took: how long until anything was known of the message, and
// until all was.
void Telling::append_latencies(std::string& out) const {
  std::uint64_t taken = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool is_whole = true;
  for (const PartStanding& standing : parts_) {
    if (standing.taken_ms != 0 && (taken == 0 || standing.taken_ms < taken)) {
      taken = standing.taken_ms;
    }
    is_whole = is_whole && standing.reported_ms != 0;
    if (standing.reported_ms == 0) continue;
    first = first == 0 ? standing.reported_ms : std::min(first, standing.reported_ms);
    last = std::max(last, standing.reported_ms);
  }
  if (taken == 0 || first < taken) return;  // the clock went back, or nothing has come
  append_member("first_receipt_after_ms", first - taken, out);
  if (is_whole) append_member("last_receipt_after_ms", last - taken, out);
}

std::string Telling::members(bool with_history) const {
  std::string_view state = name_of(state_);
  if (state_ == State::none) {
    state = was_intended_ ? "sending" : accepted_.not_before_ms != 0 ? "scheduled" : "queued";
  }
  const auto text = subject_.id.text();
  std::string out = "\"id\":";
  append_json_string({text.data(), text.size()}, out);
  if (!subject_.ref.empty()) append_member("ref", subject_.ref, out);
  append_member("client", subject_.client, out);
  if (!subject_.campaign.empty()) append_member("campaign", subject_.campaign, out);
  append_member("to", subject_.to, out);
  append_member("from", subject_.from, out);
  append_member("carrier", carrier(), out);
  append_member("state", state, out);
  if (is_paused()) out.append(",\"paused\":true");
  append_member("segments", subject_.parts, out);
  append_time("accepted", subject_.id.time_ms(), out);
  append_time("expires", accepted_.expires_ms(), out);
  if (!subject_.meta.empty()) {
    append_key("meta", out);
    out.append(subject_.meta);
  }
  if (!with_history) return out;
  if (parts_.size() > 1) append_parts(out);
  append_key("history", out);
  out.append("[").append(steps_).append("]");
  return out;
}

}  // namespace stentor::daemon
