#include "daemon/events/event_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/config/callback_config.h"
#include "daemon/events/inbound_lines.h"
#include "daemon/events/opt_out_lines.h"
#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"
#include "daemon/records/conflict_record.h"
#include "daemon/records/doubt_records.h"
#include "daemon/records/opt_out_records.h"
#include "daemon/records/own_outcomes.h"
#include "daemon/records/taken_twice_record.h"

namespace stentor::daemon {
namespace {

// Counts of missed events are on disk in this order: only ever add at the end.
constexpr const auto& kTypes = kEventTypeNames;
static_assert(kTypes.size() == kEventTypes);

// A carrier's words are cut here: `stat` and `err` have a few octets.
constexpr std::size_t kCarrierWordsMax = 80;
// And its id here: by the standard it has up to 65 octets, and longer ones can be asked
// for by as many as these.
constexpr std::size_t kCarrierIdMax = 256;
// The worst part's words, and how each part stands: "part 2 failed; parts 1, 3-10 delivered".
constexpr std::size_t kPartsDetailMax = 300;

// `sent_final` by silence has been told as `sent` before.
std::string_view type_of(State state, bool is_first_word) {
  if (state == State::none) return {};
  if (state == State::sent_final && !is_first_word) return {};
  return name_of(state);
}

void add(std::string_view type, RecordEvents& events) {
  if (!type.empty()) events.types[events.count++] = type;
}

void append_doubt(const Following& of, std::string& out) {
  if (of.possible_duplicate) out.append(",\"possible_duplicate\":true");
}

void append_untrusted(std::string_view key, std::string_view value, std::string& out) {
  if (value.empty()) return;
  append_key(key, out);
  append_json_untrusted(value, kCarrierIdMax, out);
}

std::string_view what_follows(const Uncertain& uncertain) {
  switch (uncertain.policy) {
    case UncertainPolicy::resend: return "written to the carrier, its answer lost; it goes again";
    case UncertainPolicy::hold: return "written to the carrier, its answer lost; it is held";
    case UncertainPolicy::fail: return "written to the carrier, its answer lost; it ends here";
    case UncertainPolicy::wait_dlr:
      return "written to the carrier, its answer lost; a receipt is waited for";
  }
  return "";
}

void append_part(const PartAnswered& part, const Subject& subject, bool is_part, std::string& out) {
  append_time("time", part.of.time_ms, out);
  if (is_part) append_member("part", part.part, out);
  append_member("parts", subject.parts, out);
  append_member("attempt", part.attempt, out);
  if (!part.code.empty()) append_member("code", part.code, out);
  if (part.command_status != 0) {
    append_member("detail", fmt::format("command_status {:#010x}", part.command_status), out);
  }
  if (is_part) append_untrusted("carrier_id", part.message_id, out);
  append_doubt(part.of, out);
}

// The carrier's own words.
void append_words(const ReceiptCame& receipt, std::string& out) {
  if (receipt.stat.empty() && receipt.err.empty()) return;
  append_key("detail", out);
  std::array<char, kCarrierWordsMax> words;
  std::size_t octets = 0;
  const auto add = [&](std::string_view word) {
    octets += word.copy(words.data() + octets, words.size() - octets);
  };
  add("stat:");
  add(receipt.stat);
  if (!receipt.err.empty()) {
    add(" err:");
    add(receipt.err);
  }
  append_json_untrusted({words.data(), octets}, words.size(), out);
}

void append_receipt(const ReceiptCame& receipt, const Subject& subject, bool is_part,
                    std::string& out) {
  append_time("time", receipt.of.time_ms, out);
  if (is_part) append_member("part", receipt.part, out);
  append_member("parts", subject.parts, out);
  if (!is_part && receipt.corrects != State::none) {
    append_member("corrects", name_of(receipt.corrects), out);
  }
  if (!is_part && !receipt.message_code.empty()) {  // another part decided the message
    append_member("code", receipt.message_code, out);
    append_key("detail", out);
    append_json_untrusted(receipt.message_detail, kPartsDetailMax, out);
  } else {
    if (!receipt.code.empty()) append_member("code", receipt.code, out);
    append_words(receipt, out);
  }
  if (is_part) append_untrusted("carrier_id", receipt.message_id, out);
  append_doubt(receipt.of, out);
}

void append_verdict(const Verdict& verdict, const Subject& subject, std::string& out) {
  append_time("time", verdict.of.time_ms, out);
  append_member("parts", subject.parts, out);
  append_member("code", verdict.code, out);
  append_key("detail", out);
  append_json_untrusted(verdict.detail, kPartsDetailMax, out);
  append_doubt(verdict.of, out);
}

// Two receipts say two things of one part: here, under which id it was taken.
void append_taken_twice(const TakenTwice& twice, const Subject& subject, std::string& out) {
  append_time("time", twice.of.time_ms, out);
  append_member("part", twice.part, out);
  append_member("parts", subject.parts, out);
  append_member("code", own_outcome::kConfirmedDuplicate, out);
  append_key("detail", out);
  const auto cut = [](std::string_view id) { return id.substr(0, kCarrierWordsMax); };
  append_json_untrusted(fmt::format("the carrier took it twice, as {} and as {}",
                                    cut(twice.message_id), cut(twice.other_message_id)),
                        kPartsDetailMax, out);
  append_doubt(twice.of, out);
}

}  // namespace

std::optional<std::size_t> event_type_of(std::string_view type) noexcept {
  const auto* found = std::ranges::find(kTypes, type);
  if (found == kTypes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kTypes.begin());
}

RecordEvents events_of(const queue::Record& record) {
  if (is_inbound(record)) return inbound_events_of(record);
  if (record.kind == kOptOutRecord) return opt_out_events_of(record);
  RecordEvents events;
  std::span<const std::uint8_t> subject;
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::part:
      events.part = decode_part(record.payload);
      if (events.part) {
        subject = events.part->of.subject;
        add("part", events);
        add(type_of(events.part->of.state, true), events);
      }
      break;
    case RecordKind::receipt:
      events.receipt = decode_receipt(record.payload);
      if (events.receipt) {
        subject = events.receipt->of.subject;
        add("receipt", events);
        add(type_of(events.receipt->of.state, false), events);
      }
      break;
    case RecordKind::verdict:
      if (const auto verdict = decode_verdict(record.payload)) {
        subject = verdict->of.subject;
        add(type_of(verdict->of.state, false), events);
      }
      break;
    case RecordKind::uncertain:
      if (const auto uncertain = decode_uncertain(record.payload)) {
        subject = uncertain->of.subject;
        add("uncertain", events);
      }
      break;
    case RecordKind::resolved:
      if (const auto resolved = decode_resolved(record.payload)) {
        subject = resolved->of.subject;
        add(type_of(resolved->of.state, true), events);
      }
      break;
    case RecordKind::conflict:
      if (const auto conflict = decode_conflict(record.payload)) {
        subject = conflict->of.subject;
        add("conflict", events);
      }
      break;
    case RecordKind::carrier_switched:
    case RecordKind::totals:
    case RecordKind::accepted:
    case RecordKind::intent:
    case RecordKind::consumer:
    case RecordKind::orphan:
    case RecordKind::moved:
    case RecordKind::passed:
    case RecordKind::receipt_again:
    case RecordKind::released:
    case RecordKind::campaign:
    case RecordKind::campaign_set:
    case RecordKind::campaign_forgotten: break;
  }
  if (record.kind == kTakenTwiceRecord) {
    if (const auto twice = decode_taken_twice(record.payload)) {
      subject = twice->of.subject;
      add("conflict", events);
    }
  }
  events.subject_octets = subject;
  if (events.count > 0) events.subject = decode_subject(subject);
  if (!events.subject) events.count = 0;
  return events;
}

void append_event(const queue::Record& record, const RecordEvents& events, std::uint8_t sub,
                  std::string_view cursor, std::string& out) {
  if (is_inbound(record)) return append_inbound_event(record, cursor, out);
  if (record.kind == kOptOutRecord) return append_opt_out_event(record, cursor, out);
  const Subject& subject = *events.subject;
  const std::string_view type = events.types[sub - 1u];
  const auto id = subject.id.text();
  out.push_back('{');
  append_plain("cursor", cursor, out);
  append_plain("id", {id.data(), id.size()}, out);
  if (!subject.ref.empty()) append_member("ref", subject.ref, out);
  append_member("client", subject.client, out);
  if (!subject.campaign.empty()) append_member("campaign", subject.campaign, out);
  append_member("to", subject.to, out);
  append_member("from", subject.from, out);
  append_plain("type", type, out);
  append_member("carrier", subject.carrier, out);
  const bool is_part = type == "part" || type == "receipt";
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::part: append_part(*events.part, subject, is_part, out); break;
    case RecordKind::receipt: append_receipt(*events.receipt, subject, is_part, out); break;
    case RecordKind::conflict: {
      const auto conflict = decode_conflict(record.payload);
      append_verdict({.of = conflict->of, .code = conflict->code, .detail = conflict->detail},
                     subject, out);
      break;
    }
    case RecordKind::verdict: append_verdict(*decode_verdict(record.payload), subject, out); break;
    case RecordKind::uncertain: {
      const auto uncertain = decode_uncertain(record.payload);
      append_time("time", uncertain->of.time_ms, out);
      append_member("parts", subject.parts, out);
      append_member("code", uncertain->reason, out);
      append_member("detail", what_follows(*uncertain), out);
      append_doubt(uncertain->of, out);
      break;
    }
    case RecordKind::resolved: {
      const auto resolved = decode_resolved(record.payload);
      append_time("time", resolved->of.time_ms, out);
      append_member("parts", subject.parts, out);
      if (!resolved->code.empty()) append_member("code", resolved->code, out);
      if (!resolved->detail.empty()) append_member("detail", resolved->detail, out);
      append_doubt(resolved->of, out);
      break;
    }
    case RecordKind::carrier_switched:
    case RecordKind::totals:
    case RecordKind::accepted:
    case RecordKind::intent:
    case RecordKind::consumer:
    case RecordKind::orphan:
    case RecordKind::moved:
    case RecordKind::passed:
    case RecordKind::receipt_again:
    case RecordKind::released:
    case RecordKind::campaign:
    case RecordKind::campaign_set:
    case RecordKind::campaign_forgotten: break;
  }
  if (record.kind == kTakenTwiceRecord) {
    append_taken_twice(*decode_taken_twice(record.payload), subject, out);
  }
  if (!subject.meta.empty()) {
    append_key("meta", out);
    out.append(subject.meta);
  }
  out.push_back('}');
}

}  // namespace stentor::daemon
