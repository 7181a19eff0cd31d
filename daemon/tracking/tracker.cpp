#include "daemon/tracking/tracker.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "daemon/delivery/subject_here.h"
#include "daemon/records/own_outcomes.h"

namespace stentor::daemon {
namespace {

using protocol::ReceiptVerdict;

// What a carrier's date may take in a record: 14 digits are met, more is no date.
constexpr std::size_t kDateOctetsMax = 20;
// Three digits are met.
constexpr std::size_t kCountOctetsMax = 10;

}  // namespace

State state_of(ReceiptVerdict verdict) noexcept {
  switch (verdict) {
    case ReceiptVerdict::intermediate: return State::none;
    case ReceiptVerdict::delivered: return State::delivered;
    case ReceiptVerdict::failed: return State::failed;
    case ReceiptVerdict::expired: return State::expired;
    case ReceiptVerdict::unknown: return State::unknown;
  }
  return State::none;
}

Tracker::Tracker(TrackerSetup setup, TrackingOutcomes& outcomes, AcceptedRecords& records,
                 TrackingStats& stats, Moment now)
    : setup_(std::move(setup)),
      rule_(setup_.rule),
      outcomes_(outcomes),
      records_(records),
      stats_(stats),
      start_(now),
      outstanding_(setup_.secret, now.wall_ms / 1000),
      names_(setup_.secret, setup_.by_reference) {}

std::uint32_t Tracker::tick_of(TimePoint time) const {
  return static_cast<std::uint32_t>(
             std::chrono::floor<std::chrono::milliseconds>(time - start_.steady) / kSentTick) &
         kSentTickMask;
}

// As if nobody set the clock since the start.
Tracker::TimePoint Tracker::steady_of(std::uint64_t wall_ms) const {
  return start_.steady + std::chrono::milliseconds(static_cast<std::int64_t>(wall_ms) -
                                                   static_cast<std::int64_t>(start_.wall_ms));
}

// No receipt can have come before. Where it was written before, and its answer lost, that may have
// been at any time since it was accepted; further back than what is kept makes no difference.
Tracker::TimePoint Tracker::sent_at(const TakenSegment& taken, Moment answered) const {
  constexpr std::chrono::milliseconds kRounding(1);  // of response_ms
  if (!taken.of.possible_duplicate) {
    return answered.steady - std::chrono::milliseconds(taken.response_ms) - kRounding;
  }
  const TimePoint earliest = answered.steady - kUnmatchedKept;
  if (taken.subject == nullptr) return earliest;
  return std::max(earliest, std::min(answered.steady, steady_of(taken.subject->id.time_ms())));
}

// Nothing: it was sent before this start, or nobody knows when.
std::optional<std::chrono::milliseconds> Tracker::time_since(const OutstandingSegment& sent,
                                                             Moment came) const {
  const auto after = kSentTick * ((tick_of(came.steady) - sent.sent_tick) & kSentTickMask);
  if (after > came.steady - start_.steady || sent.possible_duplicate) return std::nullopt;
  return after;
}

// The carrier took a segment under this id: a receipt may come, or has come already.
void Tracker::on_taken(const TakenSegment& taken, Moment now) {
  OutstandingSegment segment;
  segment.at = taken.of.accepted;
  const TimePoint sent = sent_at(taken, now);
  segment.sent_tick = tick_of(sent) & kSentTickMask;
  segment.possible_duplicate = taken.of.possible_duplicate ? 1 : 0;
  segment.expires_minute = outstanding_.minute_of(
      std::uint64_t{taken.expires} + kReceiptMarginSeconds, now.wall_ms / 1000);
  segment.part = taken.part;
  segment.parts = taken.parts;
  if (taken.parts > 1) parts_.expect(segment.at, taken.parts, taken.of.possible_duplicate);
  if (taken.message_id.empty()) {  // no receipt can ever be matched to this part
    if (taken.parts == 1) return;
    const PartsVerdict settled =
        parts_.settle(segment.at, taken.part, State::sent_final, own_outcome::kNoMessageId, {});
    if (settled.state == State::none) return;
    Verdict verdict;
    verdict.of = taken.of;
    verdict.of.state = settled.state;
    verdict.of.was_sent = true;
    verdict.code =
        settled.code.empty() ? own_outcome::kNoMessageId : std::string_view(settled.code);
    verdict.detail = settled.detail;
    outcomes_.write(verdict);
    count(settled.state, State::none);
    return;
  }
  const protocol::CanonicalId id(taken.message_id);
  const auto key = outstanding_.fingerprint(id.text());
  settled_.prefetch(key);
  await(key, segment);
  if (watch_ != nullptr) {
    watch_->on_awaited(segment.at, segment.part, taken.message_id,
                       std::uint64_t{taken.expires} + kReceiptMarginSeconds);
  }
  settled_.erase(key);
  name(taken, key, now.wall_ms);
  if (!early_.is_empty()) match_early(taken, id, sent, now);
}

void Tracker::await(const Outstanding::Fingerprint& key, const OutstandingSegment& segment) {
  const auto earlier = outstanding_.put(key, segment);
  if (!earlier) return;
  if (earlier->at == segment.at && earlier->part == segment.part) return;  // it was sent again
  outstanding_.put(key_aside(earlier->at, earlier->part), *earlier);
  // Whoever asked the carrier by the id would be told of the later one.
  if (watch_ != nullptr) watch_->on_settled(earlier->at, earlier->part);
}

// Where a segment waits whose id another one has now. No carrier's id begins with a NUL.
Outstanding::Fingerprint Tracker::key_aside(queue::Locator message, std::uint8_t part) const {
  std::array<char, 10> text{};
  const std::uint64_t bits = message.bits();
  std::memcpy(text.data() + 1, &bits, sizeof bits);
  text.back() = static_cast<char>(part);
  return outstanding_.fingerprint({text.data(), text.size()});
}

void Tracker::on_receipt(const protocol::Receipt& receipt, Moment now) {
  names_.note(receipt);
  const Match matched = match(receipt, now, now);
  if (matched != Match::done) keep_unmatched(receipt, now, matched);
}

// By its id, else by its reference; each may also say that it has come before.
Tracker::Match Tracker::match(const protocol::Receipt& receipt, Moment came, Moment now) {
  if (const auto target = find(receipt, came)) return apply(*target, receipt, came, now);
  const Match as_before = repeated(receipt, came, now);
  return as_before == Match::none ? apply_by_reference(receipt, came, now) : as_before;
}

bool Tracker::on_query_answer(const protocol::Receipt& answer, Moment now) {
  const protocol::CanonicalId id(answer.message_id);
  const auto key = outstanding_.fingerprint(id.text());
  const auto segment = outstanding_.find(key);
  if (!segment || segment->is_told) return false;
  return apply_to({.key = key, .segment = *segment, .id = id}, answer, now, now) == Match::done;
}

bool Tracker::on_cancelled(std::string_view message_id, queue::Locator message, Moment now) {
  const protocol::CanonicalId id(message_id);
  const auto key = outstanding_.fingerprint(id.text());
  const auto segment = outstanding_.find(key);
  if (!segment || segment->is_told || segment->at != message) return false;
  protocol::Receipt word;
  word.message_id = message_id;
  word.state = protocol::MessageState::deleted;
  word.stat = "DELETED (cancel_sm)";
  return apply_to({.key = key, .segment = *segment, .id = id, .by_reference = false}, word, now,
                  now, true) == Match::done;
}

void Tracker::forget(queue::Locator message) {
  parts_.forget(message);
}

std::optional<Tracker::Target> Tracker::find(const protocol::Receipt& receipt, Moment came) {
  const std::uint32_t came_tick = tick_of(came.steady);
  const bool learns = rule_ == protocol::MessageIdRule::automatic;
  protocol::Spellings spellings = protocol::spellings_of(receipt.message_id, rule_);
  if (learns) spellings = learner_.in_order(spellings);
  for (std::uint8_t i = 0; i < spellings.count; ++i) {
    const auto key = outstanding_.fingerprint(spellings.candidates[i].text());
    settled_.prefetch(key);
    const auto segment = outstanding_.find(key);
    if (segment && !is_before_it_was_sent(came_tick, segment->sent_tick) &&
        !is_of_another(segment->at, spellings.rules[i], receipt)) {
      if (learns && learner_.on_match(spellings, i) && watch_ != nullptr) {
        watch_->on_rule(learner_.learnt());
      }
      return Target{
          .key = key, .segment = *segment, .id = spellings.candidates[i], .by_reference = false};
    }
    // A second copy, not another segment whose id looks alike when it is spelt otherwise.
    const auto settled = settled_of(key, came);
    if (settled && !is_of_another(settled->at, spellings.rules[i], receipt)) return std::nullopt;
  }
  return std::nullopt;
}

// As long as nobody knows how the carrier writes its ids, one that is spelt otherwise may be
// another's: "10" is 16 as well. Then the receipt must not name another handset. A message that
// cannot be read speaks against nothing.
bool Tracker::is_of_another(queue::Locator at, protocol::MessageIdRule rule,
                            const protocol::Receipt& receipt) {
  const bool is_known = rule_ != protocol::MessageIdRule::automatic ||
                        rule == protocol::MessageIdRule::verbatim || rule == learner_.learnt();
  if (is_known || (receipt.source.empty() && receipt.destination.empty())) return false;
  const auto accepted = read(at).accepted;
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  return subject && is_other_number(receipt.source, receipt.destination, subject->to);
}

// The receipt speaks of a segment that awaits one, or may be corrected.
Tracker::Match Tracker::apply(const Target& target, const protocol::Receipt& receipt, Moment came,
                              Moment now) {
  if (target.segment.possible_duplicate != 0) {
    note_id(target.segment.at, target.segment.part, receipt, now);
  }
  // Told unknown already: only who knows better changes anything.
  if (target.segment.is_told) {
    const State state = state_of(verdict_of(receipt));
    if (state == State::none || state == State::unknown) {
      note_again({.accepted = target.segment.at,
                  .subject = {},
                  .possible_duplicate = target.segment.possible_duplicate != 0},
                 target.segment.part, target.by_reference, receipt, came, now);
      return Match::done;
    }
  }
  const Match matched = apply_to(target, receipt, came, now);
  if (matched == Match::unread) await_reading(target, came, now);
  return matched;
}

// All that it says itself, and not of which segment.
ReceiptCame Tracker::said_by(const protocol::Receipt& receipt, Moment came, Moment now) const {
  ReceiptCame said;
  said.of.time_ms = now.wall_ms;
  said.message_state = static_cast<std::uint8_t>(receipt.state);
  said.is_final_for_part = verdict_of(receipt) != ReceiptVerdict::intermediate;
  said.message_id = receipt.message_id;
  said.stat = receipt.stat;
  said.err = receipt.err;
  said.code = setup_.codes.of(receipt);
  said.network_error_code = receipt.network_error_code.value_or(0);
  said.done_date = receipt.done_date.substr(0, kDateOctetsMax);
  said.submit_date = receipt.submit_date.substr(0, kDateOctetsMax);
  said.sub = receipt.sub.substr(0, kCountOctetsMax);
  said.dlvrd = receipt.dlvrd.substr(0, kCountOctetsMax);
  if (came.wall_ms < now.wall_ms) said.came_ms = came.wall_ms;
  return said;
}

Tracker::Match Tracker::apply_to(const Target& target, const protocol::Receipt& receipt,
                                 Moment came, Moment now, bool is_cancelled) {
  const auto [accepted, is_gone] = read(target.segment.at);
  if (is_gone) {  // told long ago: of one that lives, the file stays
    outstanding_.erase(target.key);
    if (target.segment.parts > 1) parts_.give_up(target.segment.at);
    return Match::none;
  }
  if (!accepted) return Match::unread;
  if (!is_cancelled) count_receipt(receipt);
  const SubjectHere here(accepted->subject, setup_.carrier, target.segment.parts);
  const State state = is_cancelled ? State::cancelled : state_of(verdict_of(receipt));
  ReceiptCame said = said_by(receipt, came, now);
  said.of = {.accepted = target.segment.at,
             .subject = here.octets(),
             .time_ms = now.wall_ms,
             .state = State::none,
             .possible_duplicate = target.segment.possible_duplicate != 0,
             .flow = flow_of(*accepted),
             .was_sent = true};
  said.part = target.segment.part;
  if (is_cancelled) said.code = own_outcome::kCancelled;
  said.by_reference = target.by_reference;
  Words words;
  if (said.is_final_for_part) settle(target, state, said, words, came, now);
  outcomes_.write(said);
  count(said.of.state, said.corrects);
  return Match::done;
}

// What its copies will be known by: one that was matched by its name may wait under another's id.
Outstanding::Fingerprint Tracker::settled_key(const Target& target) const {
  return target.by_reference ? outstanding_.fingerprint(target.id.text()) : target.key;
}

// The segment's last word, unless it is `unknown`: then a late receipt may know better.
void Tracker::settle(const Target& target, State state, ReceiptCame& said, Words& words,
                     Moment came, Moment now) {
  const OutstandingSegment& segment = target.segment;
  if (state == State::unknown) {
    await_correction(target.key, segment, now);
  } else {
    outstanding_.erase(target.key);
    settled_.put(settled_key(target), settled_as(segment, state, segment.possible_duplicate != 0));
  }
  if (watch_ != nullptr) watch_->on_settled(segment.at, segment.part);
  const auto after = segment.is_told ? std::nullopt : time_since(segment, came);
  if (after) stats_.receipt_after.record(*after);
  if (segment.parts == 1) {
    said.of.state = state;
    if (segment.is_told) said.corrects = State::unknown;
    return;
  }
  PartsVerdict verdict =
      parts_.settle(segment.at, segment.part, state, said.code, words_of(said.stat, said.err));
  if (verdict.possible_duplicate) said.of.possible_duplicate = true;
  said.of.has_unknown_part = verdict.has_unknown_part;
  if (after && verdict.is_first) stats_.first_receipt_after.record(*after);
  if (verdict.state == State::none) return;
  if (after) stats_.last_receipt_after.record(*after);
  said.of.state = verdict.state;
  said.corrects = verdict.corrects;
  words = {.code = std::move(verdict.code), .detail = std::move(verdict.detail)};
  said.message_code = words.code;
  said.message_detail = words.detail;
}

void Tracker::count_receipt(const protocol::Receipt& receipt) {
  switch (verdict_of(receipt)) {
    case ReceiptVerdict::intermediate: ++stats_.receipts_intermediate; break;
    case ReceiptVerdict::delivered: ++stats_.receipts_delivered; break;
    case ReceiptVerdict::failed: ++stats_.receipts_failed; break;
    case ReceiptVerdict::expired: ++stats_.receipts_expired; break;
    case ReceiptVerdict::unknown: ++stats_.receipts_unknown; break;
  }
}

void Tracker::count(State state, State corrects) {
  if (corrects != State::none) ++stats_.messages_corrected;
  stats_.count_verdict(state);
}

// It may have come before its submit_sm_resp, or its message's record cannot be read: kept, on disk
// and at hand, and tried again then.
void Tracker::keep_unmatched(const protocol::Receipt& receipt, Moment now, Match why) {
  ++stats_.receipts_unmatched;
  if (why != Match::none) ++stats_.receipts_unread;
  Orphan orphan;
  orphan.carrier = setup_.carrier;
  orphan.time_ms = now.wall_ms;
  orphan.message_state = static_cast<std::uint8_t>(receipt.state);
  orphan.is_intermediate = receipt.is_intermediate;
  orphan.is_unread_conflict = why == Match::unread_conflict;
  orphan.message_id = receipt.message_id;
  orphan.stat = receipt.stat;
  orphan.err = receipt.err;
  orphan.network_error_code = receipt.network_error_code.value_or(0);
  orphan.done_date = receipt.done_date.substr(0, kDateOctetsMax);
  orphan.sub = receipt.sub.substr(0, kDateOctetsMax);
  orphan.dlvrd = receipt.dlvrd.substr(0, kDateOctetsMax);
  orphan.submit_date = receipt.submit_date.substr(0, kDateOctetsMax);
  if (names_.name_of(receipt)) {
    orphan.user_message_reference = receipt.user_message_reference;
    orphan.source = receipt.source;
    orphan.destination = receipt.destination;
  }
  outcomes_.write(orphan);
  hold(receipt, now);
}

void Tracker::hold(const protocol::Receipt& receipt, Moment came) {
  const protocol::Spellings spellings = protocol::spellings_of(receipt.message_id, rule_);
  std::vector<std::string> ids;
  ids.reserve(spellings.count + 1u);
  for (std::uint8_t i = 0; i < spellings.count; ++i) {
    ids.emplace_back(spellings.candidates[i].text());
  }
  if (const auto name = names_.name_of(receipt)) ids.emplace_back(name->as_id().text());
  (void)early_.put(receipt, ids, came.steady, came.wall_ms);  // counted when it came
}

}  // namespace stentor::daemon
