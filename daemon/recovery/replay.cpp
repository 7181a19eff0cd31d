#include "daemon/recovery/replay.h"

#include <algorithm>

#include "daemon/delivery/order_key.h"
#include "daemon/records/carrier_cancel_records.h"
#include "daemon/records/pause_records.h"
#include "daemon/records/slowed_records.h"
#include "daemon/recovery/condenser.h"

namespace stentor::daemon {
namespace {

// A receipt that matched nothing may be early, or the carrier's id rule was wrong; after three days
// it is nobody's.
constexpr std::uint64_t kOrphanWorthMs = 72ull * 3'600'000;

constexpr std::uint64_t kDueMask = (1ull << 42) - 1;

}  // namespace

Replay::Replay(const Config& config, const Routing& routing, CarrierOf carrier_of,
               ReferenceIndex& references, Consumers& consumers, CampaignLedger& campaigns,
               std::uint64_t now_ms, LiveTable::Spill spill)
    : config_(config),
      routing_(routing),
      carrier_of_(std::move(carrier_of)),
      references_(references),
      consumers_(consumers),
      campaigns_(campaigns),
      now_ms_(now_ms),
      policies_(config.carriers.begin(), config.carriers.end()),
      live_(std::move(spill)),
      cleared_before_(config.carriers.size()),
      cleared_by_(config.carriers.size()) {}

void Replay::visit(const queue::Record& record) {
  first_visited_ = std::min(first_visited_, record.at.file());
  FileUse& use = files_[record.at.file()];
  note_record(record, use);
  latest_ms_ = std::max(latest_ms_, use.last_ms);
  apply(record);
}

void Replay::restore(const queue::Record& record) {
  if (record.kind == static_cast<std::uint8_t>(CheckpointKind::file_use)) {
    if (const auto known = decode_file_use(record.payload)) {
      FileUse& use = files_[known->first];
      const std::uint64_t live = use.live;  // counted as their messages were visited
      use = known->second;
      use.live = live;
      latest_ms_ = std::max(latest_ms_, use.last_ms);
      return;
    }
  }
  if (record.kind == static_cast<std::uint8_t>(CheckpointKind::reference)) {
    if (const auto reference = decode_reference(record.payload)) {
      return remember(reference->client, reference->ref, reference->time_ms, record.at);
    }
  }
  if (record.kind == static_cast<std::uint8_t>(CheckpointKind::references_from)) {
    if (const auto from = decode_references_from(record.payload)) {
      references_from_ = *from;
      return;
    }
  }
  is_restoring_ = true;
  const Ledger counted = ledger_;
  apply(record);
  // What the checkpoint's records add is in the totals that it begins with.
  if (record.kind != static_cast<std::uint8_t>(RecordKind::totals)) ledger_ = counted;
  is_restoring_ = false;
}

void Replay::apply(const queue::Record& record) {
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::totals: return visit_totals(record);
    case RecordKind::accepted: return visit_accepted(record);
    case RecordKind::intent: return visit_intent(record);
    case RecordKind::part: return visit_part(record);
    case RecordKind::receipt: return visit_receipt(record);
    case RecordKind::verdict:
      if (const auto verdict = decode_verdict(record.payload)) {
        std::uint64_t sequence = 0;
        Entry* entry = entry_of(verdict->of, sequence);
        restore_told(verdict->of, entry, record.at);
        return advance(verdict->of, entry, sequence);
      }
      break;
    case RecordKind::uncertain: return visit_uncertain(record);
    case RecordKind::resolved: return visit_resolved(record);
    case RecordKind::consumer:
      if (const auto consumer = decode_consumer(record.payload)) {
        return consumers_.restore(*consumer);
      }
      break;
    case RecordKind::orphan: return visit_orphan(record);
    case RecordKind::passed:
    case RecordKind::receipt_again:
    case RecordKind::conflict: return;  // told then; nothing came of it
    case RecordKind::released: return visit_released(record);
    case RecordKind::moved:
      if (const auto moved = decode_moved(record.payload)) {
        std::uint64_t sequence = 0;
        const auto subject = decode_subject(moved->of.subject);
        Entry* entry = entry_of(moved->of, sequence);
        if (entry != nullptr && subject) {
          entry->carrier = carrier_for(moved->to, false, *subject);
          entry->attempts = 0;  // it begins anew over there
          entry->cleared = false;
          refused_.erase(sequence);
        }
        return;
      }
      break;
    case RecordKind::campaign:
    case RecordKind::campaign_set:
    case RecordKind::campaign_forgotten:
      if (campaigns_.restore(record)) return;
      break;
    case RecordKind::carrier_switched:
      if (const auto switched = decode_carrier_switched(record.payload)) {
        const auto number = routing_.carrier_named(switched->carrier);
        if (number) carrier_of_(*number).restore_switch(*switched);
        return;
      }
      break;
  }
  if (!visit_inbound(record)) ++report_.not_understood;
}

// True when it is one of the kinds beside RecordKind: what handsets sent or want, above all. Of a
// carrier that is gone nothing is kept.
bool Replay::visit_inbound(const queue::Record& record) {
  std::uint64_t& last_ms = files_[record.at.file()].last_ms;  // retention counts from here
  if (record.kind == kOptOutRecord) {
    const auto change = decode_opt_out(record.payload);
    if (!change) return false;
    last_ms = std::max(last_ms, change->time_ms);
    if (on_opt_out_) on_opt_out_(*change, record.at);
    return true;
  }
  if (record.kind == kConsumerCampaignRecord) {
    const auto consumer = decode_consumer_campaign(record.payload);
    if (consumer) consumers_.restore(*consumer);
    return consumer.has_value();
  }
  if (record.kind == kDeadLetterRecord) {
    const auto letter = decode_dead_letter(record.payload);
    if (letter && on_dead_letter_) on_dead_letter_(*letter);
    return letter.has_value();
  }
  if (record.kind == kCancelAnsweredRecord) return true;  // told then; nothing came of it
  if (record.kind == kSlowedRecord) return visit_slowed(record);
  if (record.kind == kPausedRecord) return visit_paused(record);
  if (record.kind == kCarrierCancelledRecord) return visit_carrier_cancelled(record);
  if (record.kind == kTakenTwiceRecord) return visit_taken_twice(record);
  if (record.kind == kCarriedRecord) {
    const auto carried = decode_carried(record.payload);
    if (carried) carried_ = *carried;
    return carried.has_value();
  }
  switch (static_cast<InboundRecordKind>(record.kind)) {
    case InboundRecordKind::came:
      if (const auto came = decode_inbound(record.payload)) {
        const auto carrier = routing_.carrier_named(came->carrier);
        if (carrier) carrier_of_(*carrier).replies().restore(*came);
        last_ms = std::max(last_ms, came->time_ms);
        return true;
      }
      break;
    case InboundRecordKind::part:
      if (const auto part = decode_inbound_part(record.payload)) {
        const auto carrier = routing_.carrier_named(part->carrier);
        if (carrier) {
          carrier_of_(*carrier).replies().restore(*part, record.at.file(),
                                                  std::chrono::steady_clock::now());
        }
        last_ms = std::max(last_ms, part->time_ms);
        return true;
      }
      break;
  }
  return false;
}

// The totals at the start of the oldest file stand for all the files before it; those of later
// files repeat what has been counted by then.
void Replay::visit_totals(const queue::Record& record) {
  const auto totals = decode_totals(record.payload);
  if (!totals) {
    ++report_.not_understood;
    return;
  }
  if (!has_base_) ledger_ = *totals;
  has_base_ = true;
}

void Replay::visit_accepted(const queue::Record& record) {
  if (!is_restoring_) has_base_ = true;
  const auto accepted = decode_accepted(record.payload);
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) {
    ++report_.not_understood;
    return;
  }
  const std::uint64_t sequence = subject->id.sequence();
  Entry& entry = live_.add(sequence);
  entry.at = record.at;
  entry.due_ms = accepted->not_before_ms & kDueMask;
  entry.flow = campaigns_.adopt(flow_of(*accepted), subject->client, subject->campaign);
  entry.expires = accepted->expires;
  entry.expires_early = accepted->expires_early_ms % 1000u * 64 / 1000 & 63u;  // never too early
  entry.key = order_key(subject->to, subject->from, subject->campaign, accepted->priority);
  entry.carrier = carrier_for(subject->carrier, accepted->names_carrier, *subject);
  entry.parts = std::max<std::uint8_t>(1, subject->parts);
  entry.priority = static_cast<queue::Priority>(
      std::min<std::uint8_t>(accepted->priority, queue::kPriorities - 1));

  ++files_[record.at.file()].live;
  ++ledger_.accepted;
  if (!is_restoring_) campaigns_.restore_count(entry.flow, State::none, false);
  ledger_.sequence_next = std::max(ledger_.sequence_next, sequence + 1);
  latest_ms_ = std::max(latest_ms_, subject->id.time_ms());
  if (accepted->owns_ref) {
    remember(subject->client, subject->ref, subject->id.time_ms(), record.at);
  }
}

void Replay::remember(std::string_view client, std::string_view ref, std::uint64_t time_ms,
                      queue::Locator at) {
  const auto guard_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(config_.queue.guard).count());
  if (time_ms + guard_ms >= now_ms_) {
    references_.restore(references_.key_of(client, ref), at, time_ms);
  }
}

// The carrier it was accepted for; where that is gone from the configuration, the one that its
// route gives now, unless the client named it.
std::uint16_t Replay::carrier_for(std::string_view name, bool is_fixed,
                                  const Subject& subject) const {
  if (const auto known = routing_.carrier_named(name)) return *known;
  if (is_fixed) return kNoCarrier;
  const auto choice = routing_.choose({subject.to, subject.from, subject.campaign});
  return choice ? choice->carrier : kNoCarrier;
}

void Replay::visit_intent(const queue::Record& record) {
  const auto intent = decode_intent(record.payload);
  if (!intent) {
    ++report_.not_understood;
    return;
  }
  for (const std::uint64_t sequence : intent->sequences) {
    Entry* entry = live_.find(sequence);
    if (entry == nullptr) continue;
    entry->intended = true;
    entry->cleared = false;  // it went before the order was obeyed
  }
}

void Replay::visit_released(const queue::Record& record) {
  const auto released = decode_released(record.payload);
  if (!released) {
    ++report_.not_understood;
    return;
  }
  for (const std::uint64_t sequence : released->sequences) {
    if (Entry* entry = live_.find(sequence)) entry->intended = false;
  }
}

Replay::Entry* Replay::entry_of(const Following& of, std::uint64_t& sequence) {
  const auto subject = decode_subject(of.subject);
  if (!subject) {
    ++report_.not_understood;
    return nullptr;
  }
  sequence = subject->id.sequence();
  return live_.find(sequence);
}

// A late receipt may correct it by this record, when the accepted one is gone.
void Replay::restore_told(const Following& of, const Entry* entry, queue::Locator at) {
  if (entry == nullptr || entry->carrier == kNoCarrier) return;
  if (of.state != State::unknown && !of.has_unknown_part) return;
  carrier_of_(static_cast<std::uint16_t>(entry->carrier))
      .restore_told(of.accepted, {.at = at, .flow = entry->flow});
}

void Replay::advance(const Following& of, Entry* entry, std::uint64_t sequence, State corrects) {
  latest_ms_ = std::max(latest_ms_, of.time_ms);
  if (entry != nullptr) corrects = State::none;  // live: salvaging has set aside what it corrects
  // Salvaging has set its beginning aside, and the totals before this file do not have it.
  if (entry == nullptr && is_final(of.state) && corrects == State::none &&
      of.accepted.file() >= first_visited_) {
    ++ledger_.accepted;
  }
  ledger_.count(of.state);
  if (corrects != State::none) {
    ledger_.take_back(corrects);
    if (const auto told = told_unknown_.find(of.accepted.bits()); told != told_unknown_.end()) {
      if (!is_restoring_) campaigns_.restore_correction(told->second, of.state, corrects);
      told_unknown_.erase(told);
    }
  } else if (of.state == State::unknown && entry != nullptr) {
    told_unknown_.emplace(of.accepted.bits(), entry->flow);
  }
  if (entry == nullptr) return;
  if (!is_restoring_ && of.state != State::none) {
    campaigns_.restore_count(entry->flow, of.state, entry->sent);
  }
  if (of.state == State::sent) entry->sent = true;
  if (!is_final(of.state)) return;
  FileUse& accepted_in = files_[entry->at.file()];
  accepted_in.live -= std::min<std::uint64_t>(1, accepted_in.live);
  live_.end(sequence, ledger_.sequence_next);
  partials_.erase(sequence);
  held_.erase(sequence);
  refused_.erase(sequence);
}

void Replay::visit_part(const queue::Record& record) {
  const auto part = decode_part(record.payload);
  if (!part) {
    ++report_.not_understood;
    return;
  }
  std::uint64_t sequence = 0;
  Entry* entry = entry_of(part->of, sequence);
  if (part->of.state == State::sent_final) ++ledger_.sent;
  if (entry != nullptr) {
    // A carrier that it has moved to may cut it otherwise.
    const auto subject = decode_subject(part->of.subject);
    if (subject) entry->parts = std::max<std::uint8_t>(1, subject->parts);
    const bool is_accepted = part->command_status == 0;
    if (entry->parts > 1 && is_accepted) {
      PartSet& taken = partials_[sequence].taken;
      taken.resize(entry->parts, false);
      if (part->part >= 1 && part->part <= entry->parts) taken[part->part - 1u] = true;
    }
    if (is_accepted) end_doubt_of_part(sequence, part->part);
    // Of several parts others may still be without an answer: they stay in doubt. A mark too many
    // is allowed, one too few is not.
    if (entry->parts == 1) entry->intended = false;
    if (!is_accepted) {
      note_refusal(sequence, *entry, *part);
      // Of several parts one may be charged and another not.
      entry->attempts = std::max(entry->attempts, part->attempt);
      entry->due_ms = std::max<std::uint64_t>(entry->due_ms, part->retry_at_ms) & kDueMask;
    }
    if (part->of.state == State::sent) {
      entry->intended = false;
    }
    if (is_accepted && part->of.state != State::sent_final && entry->carrier != kNoCarrier) {
      carrier_of_(static_cast<std::uint16_t>(entry->carrier))
          .restore_outstanding({.message_id = part->message_id,
                                .of = {.accepted = entry->at,
                                       .subject = {},
                                       .time_ms = part->of.time_ms,
                                       .possible_duplicate = part->of.possible_duplicate},
                                .expires = entry->expires,
                                .part = part->part,
                                .parts = entry->parts,
                                .response_ms = part->response_ms,
                                .subject = subject ? &*subject : nullptr});
    }
  }
  advance(part->of, entry, sequence);
}

// By the configuration of today: what a status means is the carrier's matter, not the journal's.
StatusClass Replay::class_of(const Entry& entry, std::uint32_t command_status) const {
  if (entry.carrier == kNoCarrier) return StatusClass::unknown;
  return policies_[entry.carrier].meaning_of(protocol::CommandStatus{command_status}).is;
}

RefusalCounts& Replay::refusals_of(std::uint64_t sequence, const Entry& entry) {
  const auto [refused, is_new] = refused_.try_emplace(sequence);
  // None of those so far was worth a place here.
  if (is_new) refused->second.count(StatusClass::temporary, entry.attempts);
  return refused->second;
}

// For each class since when and how often, as the carrier's rules count; and since its first
// refusal it holds back later ones of its order key, for a while.
void Replay::note_refusal(std::uint64_t sequence, const Entry& entry, const PartAnswered& part) {
  if (entry.carrier == kNoCarrier) return;
  const StatusClass by = class_of(entry, part.command_status);
  if (by == StatusClass::permanent) return;
  if (by == StatusClass::temporary && !refused_.contains(sequence)) {
    const auto hold_ms = static_cast<std::uint64_t>(config_.queue.order_hold.count());
    const bool is_of_late = part.of.time_ms + hold_ms > now_ms_;
    const bool is_bounded = config_.carriers[entry.carrier].retry.temporary.within.count() > 0;
    if (!is_bounded && (entry.attempts > 0 || !is_of_late)) return;
  }
  RefusalCounts& refusals = refusals_of(sequence, entry);
  refusals.note(by, part.of.time_ms);
  // Several parts of one turn count once. Where no attempt is charged, the next turn comes when the
  // pause is over.
  const bool is_charged = by != StatusClass::queue_full && by != StatusClass::throttle;
  const bool is_next_turn =
      is_charged ? part.attempt > entry.attempts : part.of.time_ms >= entry.due_ms;
  if (is_next_turn || refusals.tries(by) == 0) refusals.count(by);
}

bool Replay::visit_slowed(const queue::Record& record) {
  const auto slowed = decode_slowed(record.payload);
  if (!slowed) return false;
  std::uint64_t sequence = 0;
  const Entry* entry = entry_of(slowed->of, sequence);
  if (entry == nullptr) return true;  // final since
  const StatusClass by = class_of(*entry, slowed->command_status);
  if (by != StatusClass::permanent) refusals_of(sequence, *entry).note(by, slowed->of.time_ms);
  return true;
}

bool Replay::visit_paused(const queue::Record& record) {
  const auto paused = decode_paused(record.payload);
  if (!paused) return false;
  std::uint64_t sequence = 0;
  Entry* entry = entry_of(paused->of, sequence);
  if (entry != nullptr) entry->paused = paused->is_paused;
  return true;
}

// What it means is what waits there at this place of the journal. Most of it has a verdict further
// on; what is left at the end has still to get one.
bool Replay::visit_carrier_cancelled(const queue::Record& record) {
  const auto cancelled = decode_carrier_cancelled(record.payload);
  if (!cancelled) return false;
  const auto number = routing_.carrier_named(cancelled->carrier);
  if (!number) return true;  // its messages went by another since the configuration changed
  cleared_before_[*number] = record.at;
  cleared_by_[*number] = cancelled->client;
  live_.for_each([&](std::uint64_t sequence, Entry& entry) {
    if (entry.carrier != *number || entry.sent || entry.intended) return;
    if (!held_.contains(sequence)) entry.cleared = true;
  });
  return true;
}

// Where all have their verdicts there is nothing left to do.
void Replay::restore_clearings() {
  const auto is_any = [](queue::Locator before) { return !before.is_nowhere(); };
  if (std::ranges::none_of(cleared_before_, is_any)) return;
  std::vector<bool> is_due(cleared_before_.size(), false);
  live_.for_each([&](std::uint64_t, const Entry& entry) {
    if (entry.cleared && !entry.sent) is_due[entry.carrier] = true;
  });
  for (std::size_t carrier = 0; carrier < is_due.size(); ++carrier) {
    queue::Locator& before = cleared_before_[carrier];
    if (!is_due[carrier]) before = {};
    if (before.is_nowhere()) continue;
    carrier_of_(static_cast<std::uint16_t>(carrier)).restore_clearing(before, cleared_by_[carrier]);
  }
}

void Replay::visit_receipt(const queue::Record& record) {
  const auto receipt = decode_receipt(record.payload);
  if (!receipt) {
    ++report_.not_understood;
    return;
  }
  std::uint64_t sequence = 0;
  Entry* entry = entry_of(receipt->of, sequence);
  if (entry != nullptr && entry->carrier != kNoCarrier) {
    carrier_of_(static_cast<std::uint16_t>(entry->carrier)).restore_receipt(*receipt, entry->parts);
  } else if (const auto subject = decode_subject(receipt->of.subject)) {  // final before
    const auto carrier = routing_.carrier_named(subject->carrier);
    if (carrier) carrier_of_(*carrier).restore_receipt(*receipt, subject->parts);
  }
  restore_told(receipt->of, entry, record.at);
  advance(receipt->of, entry, sequence, receipt->corrects);
}

void Replay::visit_orphan(const queue::Record& record) {
  const auto orphan = decode_orphan(record.payload);
  if (!orphan) {
    ++report_.not_understood;
    return;
  }
  const auto carrier = routing_.carrier_named(orphan->carrier);
  if (carrier && orphan->time_ms + kOrphanWorthMs > now_ms_) {
    protocol::Receipt receipt;
    receipt.message_id = orphan->message_id;
    receipt.state = static_cast<protocol::MessageState>(orphan->message_state);
    receipt.is_intermediate = orphan->is_intermediate;
    receipt.stat = orphan->stat;
    receipt.err = orphan->err;
    if (orphan->network_error_code != 0) receipt.network_error_code = orphan->network_error_code;
    receipt.done_date = orphan->done_date;
    receipt.user_message_reference = orphan->user_message_reference;
    receipt.source = orphan->source;
    receipt.destination = orphan->destination;
    receipt.sub = orphan->sub;
    receipt.dlvrd = orphan->dlvrd;
    receipt.submit_date = orphan->submit_date;
    carrier_of_(*carrier).restore_unmatched(receipt, orphan->time_ms, orphan->is_unread_conflict);
  }
}

void Replay::finish(std::uint32_t oldest) {
  const auto kept = files_.lower_bound(oldest);
  for (auto file = files_.begin(); file != kept; ++file) carried_live_ += file->second.live;
  files_.erase(files_.begin(), kept);
  restore_clearings();
  std::vector<std::uint64_t> awaiting;
  for (std::size_t carrier = 0; carrier < config_.carriers.size(); ++carrier) {
    carrier_of_(static_cast<std::uint16_t>(carrier)).doubt_before(lost_behind_);
  }
  live_.take_all(
      [&](std::uint64_t sequence, const Entry& entry) { hand_over(sequence, entry, awaiting); });
  std::ranges::sort(awaiting);
  std::vector<std::uint64_t> unknown;
  unknown.reserve(told_unknown_.size());
  for (const auto& [at, flow] : told_unknown_) unknown.push_back(at);
  std::ranges::sort(unknown);
  for (std::size_t carrier = 0; carrier < config_.carriers.size(); ++carrier) {
    carrier_of_(static_cast<std::uint16_t>(carrier)).keep_outstanding_of(awaiting, unknown);
  }
  partials_.clear();
  refused_.clear();
}

void Replay::hand_over(std::uint64_t sequence, const Entry& entry,
                       std::vector<std::uint64_t>& awaiting) {
  if (entry.carrier == kNoCarrier) {
    ++report_.without_carrier;
    return;
  }
  CarrierDelivery& carrier = carrier_of_(static_cast<std::uint16_t>(entry.carrier));
  const auto partial = partials_.find(sequence);
  // Segments the carrier has may be reported on; one that has none there needs no such note.
  if (entry.sent || partial != partials_.end()) awaiting.push_back(entry.at.bits());
  if (entry.sent) {
    ++report_.awaiting_receipt;
    return;
  }
  Retry retry;
  retry.attempts = entry.attempts;
  if (const auto refused = refused_.find(sequence); refused != refused_.end()) {
    retry.refusals = refused->second;
  } else {
    retry.refusals.count(StatusClass::temporary, entry.attempts);
  }
  retry.possible_duplicate = entry.possible_duplicate;
  if (partial != partials_.end()) retry.taken = partial->second.taken;
  const queue::Lanes::Pick pick{.ticket = {.at = entry.at,
                                           .expires = carrier.expiry_step(expires_ms_of(entry)),
                                           .key = entry.key},
                                .flow = entry.flow,
                                .priority = entry.priority};
  if (entry.paused) carrier.restore_paused(entry.at);
  if (const auto held = held_.find(sequence); held != held_.end()) {
    return hand_over_held(carrier, sequence, entry, held->second, pick, std::move(retry));
  }
  if (retry.is_worth_keeping()) carrier.restore_retry(entry.at, std::move(retry));
  if (entry.intended) {
    ++report_.in_doubt;
    if (const auto policy = carrier.restore_in_doubt(pick)) {
      count_doubt(entry, *policy, latest_ms_);
      return;  // held, or final
    }
  }
  ++report_.waiting;
  const queue::Locator cleared_before = cleared_before_[entry.carrier];
  if (!entry.cleared && !cleared_before.is_nowhere() && entry.at < cleared_before) {
    carrier.restore_kept(pick, entry.due_ms);  // it was under way then, or has moved there since
  } else {
    carrier.restore_waiting(pick, entry.due_ms);
  }
}

}  // namespace stentor::daemon
