#include "daemon/audit/ledger_audit.h"

#include <fmt/format.h>

#include <utility>

#include "daemon/records/callback_records.h"
#include "daemon/records/cancel_records.h"
#include "daemon/records/carried_records.h"
#include "daemon/records/carrier_cancel_records.h"
#include "daemon/records/consumer_records.h"
#include "daemon/records/doubt_records.h"
#include "daemon/records/inbound_records.h"
#include "daemon/records/opt_out_records.h"
#include "daemon/records/pause_records.h"
#include "daemon/records/slowed_records.h"
#include "daemon/records/taken_twice_record.h"

namespace stentor::daemon {
namespace {

using End = MessageTable::End;

// The audit's own reading of a state: where it is counted.
std::uint64_t* figure_of(AuditFigures& figures, State state) {
  switch (state) {
    case State::none: return nullptr;
    case State::sent: return &figures.sent;
    case State::delivered: return &figures.delivered;
    case State::failed: return &figures.failed;
    case State::expired: return &figures.expired;
    case State::cancelled: return &figures.cancelled;
    case State::unknown: return &figures.unknown;
    case State::sent_final: return &figures.sent_final;
  }
  return nullptr;
}

bool is_last(State state) {
  return state != State::none && state != State::sent;
}

constexpr std::array kFigures{std::pair("accepted", &AuditFigures::accepted),
                              std::pair("delivered", &AuditFigures::delivered),
                              std::pair("sent_final", &AuditFigures::sent_final),
                              std::pair("failed", &AuditFigures::failed),
                              std::pair("expired", &AuditFigures::expired),
                              std::pair("cancelled", &AuditFigures::cancelled),
                              std::pair("unknown", &AuditFigures::unknown),
                              std::pair("sent", &AuditFigures::sent)};

// Kinds that move no message to another state. Those in RecordKind are asked for by the compiler,
// where they are visited.
bool says_nothing_of_states(std::uint8_t kind) {
  switch (static_cast<InboundRecordKind>(kind)) {
    case InboundRecordKind::came:
    case InboundRecordKind::part: return true;
  }
  return kind == kCancelAnsweredRecord || kind == kOptOutRecord || kind == kDeadLetterRecord ||
         kind == kConsumerCampaignRecord || kind == kCarriedRecord || kind == kSlowedRecord ||
         kind == kPausedRecord || kind == kCarrierCancelledRecord || kind == kTakenTwiceRecord;
}

}  // namespace

void LedgerAudit::visit(const queue::Record& record) {
  ++report_.records;
  const bool begins_file = record.at.file() != file_;
  file_ = record.at.file();
  if (first_file_ == 0) first_file_ = file_;
  if (static_cast<RecordKind>(record.kind) == RecordKind::totals) {
    if (begins_file) visit_totals(record);
    return;
  }
  judge(record);
}

void LedgerAudit::visit_carried(const queue::Record& record) {
  judge(record);
}

void LedgerAudit::judge(const queue::Record& record) {
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::accepted: return visit_accepted(record);
    case RecordKind::intent:
      if (const auto intent = decode_intent(record.payload)) {
        return visit_intended(intent->sequences, true, record.at);
      }
      return find_undecodable(record);
    case RecordKind::released:
      if (const auto released = decode_released(record.payload)) {
        return visit_intended(released->sequences, false, record.at);
      }
      return find_undecodable(record);
    case RecordKind::part: return visit_part(record);
    case RecordKind::receipt: return visit_receipt(record);
    case RecordKind::verdict: return visit_verdict(record);
    case RecordKind::uncertain: return visit_uncertain(record);
    case RecordKind::resolved: return visit_resolved(record);
    case RecordKind::moved: return visit_moved(record);
    case RecordKind::passed:
    case RecordKind::receipt_again:
    case RecordKind::conflict:  // told, and changes nothing
    case RecordKind::totals:
    case RecordKind::consumer:
    case RecordKind::orphan:
    case RecordKind::campaign:
    case RecordKind::campaign_set:
    case RecordKind::campaign_forgotten:
    case RecordKind::carrier_switched: return;
  }
  if (!says_nothing_of_states(record.kind)) ++report_.unknown_kinds;
}

// What a file begins with stands for all files before it: the first one's is where counting starts,
// those of the others must be what has been counted.
void LedgerAudit::visit_totals(const queue::Record& record) {
  const auto totals = decode_totals(record.payload);
  if (!totals) return find_undecodable(record);
  AuditFigures& counted = report_.figures;
  const AuditFigures said{.accepted = totals->accepted,
                          .delivered = totals->delivered,
                          .sent_final = totals->sent_final,
                          .failed = totals->failed,
                          .expired = totals->expired,
                          .cancelled = totals->cancelled,
                          .unknown = totals->unknown,
                          .sent = totals->sent};
  const bool has_gap =
      has_set_aside() &&
      set_aside_->has_between(queue::Locator(std::exchange(totals_file_, file_), 0, 0),
                              queue::Locator(file_, 0, 0));
  if (record.at.file() == first_file_) {
    counted = said;
    inherited_before_ = totals->sequence_next;
    inherited_live_ = said.accepted - said.finals();
    return;
  }
  std::string differences;
  for (const auto& [name, figure] : kFigures) {
    if (has_gap) aside_.*figure = said.*figure - counted.*figure;
    const std::uint64_t made = counted.*figure + aside_.*figure;
    if (said.*figure == made) continue;
    differences += fmt::format(", {} {} where the records make {}", name, said.*figure, made);
  }
  if (differences.empty()) return;
  find(AuditRule::totals, record.at, {},
       fmt::format("the file begins with{}", std::string_view(differences).substr(1)));
}

void LedgerAudit::visit_accepted(const queue::Record& record) {
  const auto accepted = decode_accepted(record.payload);
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) return find_undecodable(record);
  const Named named{.sequence = subject->id.sequence(),
                    .id = subject->id,
                    .client = subject->client,
                    .ref = subject->ref,
                    .parts = subject->parts};
  ++report_.figures.accepted;
  if (messages_.find(named.sequence) != nullptr || messages_.end_of(named.sequence) != End::none ||
      is_inherited(named.sequence)) {
    return find(AuditRule::accepted_twice, record.at, named, "its sequence was given before");
  }
  MessageTable::Live& live = messages_.add(named.sequence);
  live.at = record.at;
  live.parts = subject->parts;
}

void LedgerAudit::visit_intended(const std::vector<std::uint64_t>& sequences, bool is_intent,
                                 queue::Locator at) {
  for (const std::uint64_t sequence : sequences) {
    const Named named{.sequence = sequence, .id = {}, .client = {}, .ref = {}};
    if (MessageTable::Live* live = messages_.find(sequence)) {
      live->is_intended = is_intent;
    } else if (messages_.end_of(sequence) != End::none) {
      if (is_intent) {
        find(AuditRule::sent_after_final, at, named, "an intent to send it, when it was final");
      }
    } else if (!is_inherited(sequence) && !has_set_aside()) {
      find(AuditRule::never_accepted, at, named,
           is_intent ? "an intent to send it" : "an intent taken back");
    }
  }
}

void LedgerAudit::visit_part(const queue::Record& record) {
  const auto part = decode_part(record.payload);
  if (!part) return find_undecodable(record);
  const auto named = name(part->of, record.at);
  if (!named) return;
  answer_part(*part, *named, record.at);
  if (part->of.state == State::sent_final) ++report_.figures.sent;  // on its way to its end
  advance(part->of, *named, State::none, record.at);
}

void LedgerAudit::answer_part(const PartAnswered& part, const Named& named, queue::Locator at) {
  MessageTable::Live* live = messages_.find(named.sequence);
  if (live == nullptr) return;
  live->parts = named.parts;  // a carrier that it has moved to may cut it otherwise
  if (!live->is_intended) {
    find(AuditRule::sent_without_intent, at, named,
         fmt::format("part {} was answered, and no intent allowed to write it", part.part));
  }
  if (part.part == 0 || part.part > named.parts) {
    return find(AuditRule::parts, at, named,
                fmt::format("part {} of {} was answered", part.part, named.parts));
  }
  const bool is_taken = part.command_status == 0;
  if (is_taken && named.parts > 1) {
    MessageTable::Parts& parts = messages_.parts_of(named.sequence);
    parts.taken.set(part.part);
    parts.doubted.reset(part.part);
    // Without an id no receipt can be matched.
    if (part.message_id.empty()) parts.reported.set(part.part);
  }
  const bool says_sent = part.of.state == State::sent || part.of.state == State::sent_final;
  if (says_sent && (named.parts == 1 ? !is_taken : !all_taken(named))) {
    find(AuditRule::parts, at, named,
         fmt::format("told as sent, when the carrier had taken {} of {} parts",
                     named.parts == 1 ? 0 : messages_.parts_of(named.sequence).taken.count(),
                     named.parts));
  }
}

bool LedgerAudit::all_taken(const Named& named) {
  return named.parts == 1 || messages_.parts_of(named.sequence).taken.count() == named.parts;
}

void LedgerAudit::visit_receipt(const queue::Record& record) {
  const auto receipt = decode_receipt(record.payload);
  if (!receipt) return find_undecodable(record);
  const auto named = name(receipt->of, record.at);
  if (!named) return;
  const MessageTable::Live* live = messages_.find(named->sequence);
  const State state = receipt->of.state;
  if (live != nullptr && live->parts > 1 && receipt->is_final_for_part) {
    MessageTable::Parts& parts = messages_.parts_of(named->sequence);
    if (receipt->part == 0 || receipt->part > live->parts || !parts.taken[receipt->part]) {
      find(AuditRule::parts, record.at, *named,
           fmt::format("a receipt for part {} of {}, which the carrier had not taken",
                       receipt->part, live->parts));
    }
    parts.reported.set(receipt->part);
    if (state == State::delivered && parts.reported.count() != live->parts) {
      find(AuditRule::parts, record.at, *named,
           fmt::format("delivered, with receipts for {} of {} parts", parts.reported.count(),
                       live->parts));
    }
  }
  if (live != nullptr && is_last(state) && !live->is_sent) {
    find(AuditRule::never_told_sent, record.at, *named,
         fmt::format("{} by a receipt, and its being sent was never told", name_of(state)));
  }
  advance(receipt->of, *named, receipt->corrects, record.at);
}

void LedgerAudit::visit_verdict(const queue::Record& record) {
  const auto verdict = decode_verdict(record.payload);
  if (!verdict) return find_undecodable(record);
  const auto named = name(verdict->of, record.at);
  if (named) advance(verdict->of, *named, State::none, record.at);
}

void LedgerAudit::visit_uncertain(const queue::Record& record) {
  const auto uncertain = decode_uncertain(record.payload);
  if (!uncertain) return find_undecodable(record);
  const auto named = name(uncertain->of, record.at);
  if (!named) return;
  if (MessageTable::Live* live = messages_.find(named->sequence)) {
    // It goes again, under an intent of its own; a held one may still be proved by its receipt, and
    // `resend` holds too, for a pause, but for older records.
    if (uncertain->policy == UncertainPolicy::resend && uncertain->until_ms == 0) {
      live->is_intended = false;
    }
    if (live->parts > 1) {
      MessageTable::Parts& parts = messages_.parts_of(named->sequence);
      for (std::size_t part = 1; part <= live->parts; ++part) {
        parts.doubted[part] = uncertain->parts.empty()
                                  ? !parts.taken[part]
                                  : part <= uncertain->parts.size() && uncertain->parts[part - 1];
      }
    }
  }
  advance(uncertain->of, *named, State::none, record.at);
}

void LedgerAudit::visit_resolved(const queue::Record& record) {
  const auto resolved = decode_resolved(record.payload);
  if (!resolved) return find_undecodable(record);
  const auto named = name(resolved->of, record.at);
  if (!named) return;
  if (MessageTable::Live* live = messages_.find(named->sequence)) {
    if (live->parts > 1 && resolved->end == DoubtEnd::said_sent) {
      MessageTable::Parts& parts = messages_.parts_of(named->sequence);
      parts.taken |= parts.doubted;
      parts.reported |= parts.doubted;  // under no id
      parts.doubted.reset();
    }
    if (resolved->of.state == State::none) live->is_intended = false;  // it goes again
    if (resolved->of.state == State::sent_final && !all_taken(*named)) {
      find(AuditRule::parts, record.at, *named,
           "told as sent, when the carrier had not taken all of its parts");
    }
  }
  if (resolved->of.state == State::sent_final) ++report_.figures.sent;
  advance(resolved->of, *named, State::none, record.at);
}

void LedgerAudit::visit_moved(const queue::Record& record) {
  const auto moved = decode_moved(record.payload);
  if (!moved) return find_undecodable(record);
  const auto named = name(moved->of, record.at);
  if (!named) return;
  if (MessageTable::Live* live = messages_.find(named->sequence)) {
    live->is_intended = false;
    live->parts = named->parts;
    messages_.forget_parts(named->sequence);
  }
  advance(moved->of, *named, State::none, record.at);
}

// Nothing where the record does not even say whom it speaks of.
std::optional<LedgerAudit::Named> LedgerAudit::name(const Following& of, queue::Locator at) {
  const auto subject = decode_subject(of.subject);
  if (!subject) {
    find(AuditRule::undecodable, at, {}, "a record that does not say whom it speaks of");
    return std::nullopt;
  }
  Named named{.sequence = subject->id.sequence(),
              .id = subject->id,
              .client = subject->client,
              .ref = subject->ref,
              .parts = std::max<std::uint8_t>(1, subject->parts)};
  const MessageTable::Live* live = messages_.find(named.sequence);
  if (live != nullptr) {
    if (live->at != of.accepted) {
      find(AuditRule::misplaced, at, named, "it says that the message was accepted elsewhere");
    }
  } else if (messages_.end_of(named.sequence) == End::none && !is_inherited(named.sequence)) {
    named.was_set_aside = has_set_aside() && set_aside_->holds(of.accepted);
    if (!named.was_set_aside) {
      find(AuditRule::never_accepted, at, named, "its accepted record is missing");
    }
  }
  return named;
}

void LedgerAudit::advance(const Following& of, const Named& named, State corrects,
                          queue::Locator at) {
  if (std::uint64_t* figure = figure_of(report_.figures, of.state)) ++*figure;
  MessageTable::Live* live = messages_.find(named.sequence);
  if (of.state == State::sent) return tell_sent(named, live, at);
  if (!is_last(of.state)) return;
  // Live: what it corrects was set aside.
  const bool is_first = live != nullptr && has_set_aside();
  if (corrects != State::none && !is_first) return correct(of, named, corrects, at);
  if (messages_.end_of(named.sequence) != End::none) {
    return find(AuditRule::final_twice, at, named,
                fmt::format("{}, when it was final already", name_of(of.state)));
  }
  if (is_inherited(named.sequence)) ++inherited_ended_;
  if (named.was_set_aside) {
    ++report_.figures.accepted;
    if (of.accepted.file() < totals_file_) --aside_.accepted;  // it was among what they have more
  }
  messages_.end(named.sequence, of.state == State::unknown ? End::unknown : End::final);
}

void LedgerAudit::tell_sent(const Named& named, MessageTable::Live* live, queue::Locator at) {
  if (live == nullptr) {
    if (messages_.end_of(named.sequence) == End::none) return;  // found as never accepted, or older
    return find(AuditRule::sent_after_final, at, named, "told as sent, when it was final");
  }
  if (live->is_sent) {
    find(AuditRule::sent_twice, at, named, "told as sent a second time");
  }
  live->is_sent = true;
}

// A late receipt knew better: the message was final, and is.
void LedgerAudit::correct(const Following& of, const Named& named, State corrects,
                          queue::Locator at) {
  if (std::uint64_t* figure = figure_of(report_.figures, corrects)) --*figure;
  const End end = messages_.end_of(named.sequence);
  const bool was_before = end == End::none && is_inherited(named.sequence);
  if (corrects != State::unknown || (end != End::unknown && !was_before)) {
    find(AuditRule::corrected_wrongly, at, named,
         fmt::format("{} instead of {}, which it was not", name_of(of.state), name_of(corrects)));
  }
  messages_.end(named.sequence, End::final);
}

void LedgerAudit::visit_checkpoint(const queue::Record& record, std::string_view name) {
  if (static_cast<RecordKind>(record.kind) != RecordKind::accepted) return;
  const auto accepted = decode_accepted(record.payload);
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) return find_undecodable(record);
  const Named named{.sequence = subject->id.sequence(),
                    .id = subject->id,
                    .client = subject->client,
                    .ref = subject->ref};
  if (MessageTable::Live* live = messages_.find(named.sequence)) {
    live->is_marked = live->at == record.at;
  } else if (messages_.end_of(named.sequence) == End::final ||
             (messages_.end_of(named.sequence) == End::none && !is_inherited(named.sequence))) {
    // `unknown` is kept on purpose; of what was accepted before the first file nothing is known.
    find(AuditRule::checkpoint_keeps, record.at, named,
         fmt::format("{} has it as live, and it is not", name));
  }
}

void LedgerAudit::end_checkpoint(std::string_view name) {
  ++report_.checkpoints;
  messages_.for_each_live([&](std::uint64_t sequence, MessageTable::Live& live) {
    if (!std::exchange(live.is_marked, false)) {
      find(AuditRule::checkpoint_lacks, live.at,
           {.sequence = sequence, .id = {}, .client = {}, .ref = {}},
           fmt::format("live, and {} does not have it", name));
    }
  });
}

LedgerReport LedgerAudit::finish() {
  std::uint64_t carried = 0;
  messages_.for_each_live([&](std::uint64_t sequence, const MessageTable::Live&) {
    if (is_inherited(sequence)) ++carried;
  });
  if (inherited_ended_ + carried != inherited_live_ && !has_set_aside()) {
    find(AuditRule::lost, queue::Locator(first_file_, 0, 0), {},
         fmt::format("{} messages accepted before file {} were live then; {} of them became final, "
                     "{} were carried out and live, and none of the rest is in a file",
                     inherited_live_, first_file_, inherited_ended_, carried));
  }
  report_.live = messages_.live();
  return std::move(report_);
}

// What would have kept the rule may lie in a stretch between the message's beginning and here.
bool LedgerAudit::may_be_told_aside(AuditRule rule, queue::Locator at, const Named& named) {
  const bool is_of_its_way = rule == AuditRule::sent_without_intent ||
                             rule == AuditRule::never_told_sent || rule == AuditRule::sent_twice ||
                             rule == AuditRule::parts;
  if (!is_of_its_way || !has_set_aside()) return false;
  const MessageTable::Live* live = messages_.find(named.sequence);
  return live != nullptr && set_aside_->has_between(live->at, at);
}

void LedgerAudit::find(AuditRule rule, queue::Locator at, const Named& named, std::string what) {
  if (may_be_told_aside(rule, at, named)) return;
  ++report_.broken[static_cast<std::size_t>(rule)];
  if (report_.findings.size() >= findings_max_) return;
  Finding finding{.rule = rule,
                  .sequence = named.sequence,
                  .id = {},
                  .client = std::string(named.client),
                  .ref = std::string(named.ref),
                  .at = at,
                  .what = std::move(what)};
  if (named.id != MessageId()) {
    const auto text = named.id.text();
    finding.id.assign(text.data(), text.size());
  }
  report_.findings.push_back(std::move(finding));
}

void LedgerAudit::find_undecodable(const queue::Record& record) {
  find(AuditRule::undecodable, record.at, {},
       fmt::format("a record of kind {} that cannot be read", record.kind));
}

}  // namespace stentor::daemon
