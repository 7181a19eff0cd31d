#include "daemon/history/telling.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/delivery/coding.h"
#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"
#include "daemon/records/doubt_records.h"
#include "protocol/receipt.h"

namespace stentor::daemon {
namespace {

// A carrier's words are cut here: ids are up to 65 octets, `stat` and `err` a few.
constexpr std::size_t kWordOctetsMax = 80;
constexpr std::size_t kDetailOctetsMax = 300;

void append_time(std::string_view key, std::uint64_t time_ms, std::string& out) {
  append_key(key, out);
  out.push_back('"');
  append_rfc3339(time_ms, out);
  out.push_back('"');
}

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

}  // namespace

Telling::Telling(const Accepted& accepted, const Subject& subject, const Config& config)
    : accepted_(accepted),
      subject_(subject),
      config_(config),
      waiting_since_ms_(std::max(subject.id.time_ms(), accepted.not_before_ms)),
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

// How its text travels and what made it so: planned once more, as the carrier's configuration is
// now.
void Telling::append_encoding(std::string& out) const {
  const auto carrier = std::ranges::find(config_.carriers, subject_.carrier, &CarrierConfig::name);
  if (carrier == config_.carriers.end()) return;
  const Content content = content_of(accepted_);
  const auto plan = MessagePlan::make(content, *carrier, 255);
  if (!plan) return;
  append_member("encoding", plan->encoding_word(), out);
  const encoding::Plan* text = plan->text();
  if (accepted_.encoding != EncodingWish::automatic) {
    append_member("encoding_reason", "asked for", out);
  } else if (text == nullptr) {
    append_member("encoding_reason", "octets, as given", out);
  } else if (text->forced_by) {
    append_member("encoding_reason",
                  fmt::format("U+{:04X} at {} is in no cheaper alphabet",
                              static_cast<std::uint32_t>(text->forced_by->code_point),
                              text->forced_by->index),
                  out);
  } else {
    append_member("encoding_reason", "the cheapest that writes it", out);
  }
}

void Telling::tell_accepted() {
  step(subject_.id.time_ms(), "accepted");
  append_member("client", subject_.client, steps_);
  append_member("carrier", subject_.carrier, steps_);
  append_member("priority", priority_word(accepted_.priority), steps_);
  append_encoding(steps_);
  if (accepted_.not_before_ms != 0) append_time("not_before", accepted_.not_before_ms, steps_);
  if (accepted_.hours) append_member("hours", to_string(*accepted_.hours), steps_);
  end();
}

void Telling::tell_intent(const Intent& intent) {
  was_intended_ = true;
  step(intent.time_ms, "reserved");
  append_member("carrier", intent.carrier, steps_);
  append_member("bind", intent.bind, steps_);
  append_member("connection", intent.epoch, steps_);
  if (intent.time_ms > waiting_since_ms_) {
    append_member("waited_ms", intent.time_ms - waiting_since_ms_, steps_);
  }
  end();
}

void Telling::tell_part(const PartAnswered& answered) {
  const bool is_taken = answered.command_status == 0;
  step(answered.of.time_ms, is_taken ? "part_accepted" : "part_refused");
  append_member("part", answered.part, steps_);
  append_member("attempt", answered.attempt, steps_);
  append_member("bind", answered.bind, steps_);
  append_member("command_status", fmt::format("{:#010x}", answered.command_status), steps_);
  append_word("carrier_id", answered.message_id, steps_);
  if (!answered.code.empty()) append_member("code", answered.code, steps_);
  if (answered.retry_at_ms != 0) append_time("again_at", answered.retry_at_ms, steps_);
  note(answered.of);
  end();
  if (answered.retry_at_ms != 0) waiting_since_ms_ = answered.retry_at_ms;
  if (PartStanding* standing = part(answered.part); standing != nullptr && is_taken) {
    standing->taken_ms = answered.of.time_ms;
    standing->carrier_id = answered.message_id;
    standing->state = State::sent;
  }
}

void Telling::tell_receipt(const ReceiptCame& receipt) {
  step(receipt.of.time_ms, "receipt");
  append_member("part", receipt.part, steps_);
  append_word("stat", receipt.stat, steps_);
  append_word("err", receipt.err, steps_);
  append_word("carrier_id", receipt.message_id, steps_);
  append_word("done_date", receipt.done_date, steps_);
  if (receipt.by_reference) append_member("matched_by", "user_message_reference", steps_);
  if (receipt.network_error_code != 0) {
    append_member(
        "network_error_code",
        fmt::format("{}:{}", receipt.network_error_code >> 16, receipt.network_error_code & 0xffff),
        steps_);
  }
  if (!receipt.is_final_for_part) steps_.append(",\"intermediate\":true");
  if (!receipt.code.empty()) append_member("code", receipt.code, steps_);
  append_word("detail", receipt.message_detail, steps_, kDetailOctetsMax);
  if (receipt.corrects != State::none) {
    append_member("corrects", name_of(receipt.corrects), steps_);
  }
  note(receipt.of);
  end();
  if (PartStanding* standing = part(receipt.part);
      standing != nullptr && receipt.is_final_for_part) {
    standing->state = part_state_of(receipt.message_state);
    standing->reported_ms = receipt.of.time_ms;
  }
}

void Telling::tell_verdict(const Verdict& verdict, std::string_view what) {
  step(verdict.of.time_ms, what);
  append_member("code", verdict.code, steps_);
  append_word("detail", verdict.detail, steps_, kDetailOctetsMax);
  note(verdict.of);
  end();
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
    waiting_since_ms_ = released->time_ms;
    step(released->time_ms, "released");
    append_member("detail", "it was not written after all", steps_);
    end();
  } else if (kind == RecordKind::part) {
    const auto answered = decode_part(record.payload);
    if (answered && is_about(answered->of)) tell_part(*answered);
  } else if (kind == RecordKind::receipt) {
    const auto receipt = decode_receipt(record.payload);
    if (receipt && is_about(receipt->of)) tell_receipt(*receipt);
  } else if (kind == RecordKind::verdict) {
    const auto verdict = decode_verdict(record.payload);
    if (verdict && is_about(verdict->of)) tell_verdict(*verdict, "verdict");
  } else if (kind == RecordKind::conflict) {
    const auto conflict = decode_verdict(record.payload);
    if (conflict && is_about(conflict->of)) tell_verdict(*conflict, "conflict");
  } else if (kind == RecordKind::resolved) {
    const auto resolved = decode_resolved(record.payload);
    if (!resolved || !is_about(resolved->of)) return;
    waiting_since_ms_ = resolved->of.time_ms;
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
    step(moved->of.time_ms, "moved");
    append_member("from", moved->from, steps_);
    append_member("to", moved->to, steps_);
    append_member("reason", moved->reason, steps_);
    end();
    carrier_ = moved->to;
  } else if (kind == RecordKind::uncertain) {
    const auto uncertain = decode_uncertain(record.payload);
    if (!uncertain || !is_about(uncertain->of)) return;
    waiting_since_ms_ = uncertain->of.time_ms;
    step(uncertain->of.time_ms, "uncertain");
    append_member("reason", uncertain->reason, steps_);
    append_member("policy", word_of(uncertain->policy), steps_);
    if (uncertain->until_ms != 0) append_time("until", uncertain->until_ms, steps_);
    note(uncertain->of);
    end();
  }
}

void Telling::append_parts(std::string& out) const {
  append_key("parts", out);
  out.push_back('[');
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const PartStanding& standing = parts_[i];
    if (i > 0) out.push_back(',');
    out.push_back('{');
    append_member("part", i + 1, out);
    append_member("state", standing.state == State::none ? "waiting" : name_of(standing.state),
                  out);
    append_word("carrier_id", standing.carrier_id, out);
    if (standing.reported_ms > standing.taken_ms && standing.taken_ms != 0) {
      append_member("receipt_after_ms", standing.reported_ms - standing.taken_ms, out);
    }
    out.push_back('}');
  }
  out.push_back(']');
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
  append_member("segments", subject_.parts, out);
  append_time("accepted", subject_.id.time_ms(), out);
  append_time("expires", std::uint64_t{accepted_.expires} * 1000, out);
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
