// The ways to match a receipt that come after its id: by its reference, when its response comes
// later, when its message's record can be read again, and when the rule of the carrier's ids is
// corrected.
#include <algorithm>

#include "daemon/delivery/subject_here.h"
#include "daemon/delivery/submit_composer.h"
#include "daemon/tracking/tracker.h"

namespace stentor::daemon {
namespace {

// A second: what can be read costs the other carriers' links a millisecond.
constexpr std::size_t kReadAtOnce = 100;

}  // namespace

std::uint16_t Tracker::reference_of(const Subject& subject, std::uint8_t part) {
  return user_message_reference_of(subject.id, static_cast<std::uint16_t>(part - 1));
}

// The segment's second name.
void Tracker::name(const TakenSegment& taken, const Outstanding::Fingerprint& key,
                   std::uint64_t sent_ms) {
  if (!names_.is_used() || taken.subject == nullptr) return;
  const Subject& subject = *taken.subject;
  const SegmentName name =
      names_.name_of(reference_of(subject, taken.part), subject.to, subject.from);
  names_.put(name, key, taken.of.accepted, taken.part, sent_ms / 1000);
  settled_.erase(outstanding_.fingerprint(name.as_id().text()));
}

Tracker::Match Tracker::apply_by_reference(const protocol::Receipt& receipt, Moment came,
                                           Moment now) {
  const auto name = names_.name_of(receipt);
  if (!name) return Match::none;
  const protocol::CanonicalId id = name->as_id();
  if (const auto target = find_by_name(*name, came)) {
    const Match matched = apply(*target, receipt, came, now);
    if (matched == Match::done) ++stats_.receipts_by_reference;
    return matched;
  }
  auto settled = settled_of(outstanding_.fingerprint(id.text()), came);
  if (!settled) settled = silent_named(*name, came);
  if (!settled) settled = settled_twice(*name, came);
  return settled ? repeat(*settled, {.id = id.text(), .by_reference = true}, receipt, came, now)
                 : Match::none;
}

std::optional<Tracker::Target> Tracker::find_named(const ReceiptCame& came) {
  const auto subject = decode_subject(came.of.subject);
  if (!subject || !names_.is_used()) return std::nullopt;
  const SegmentName name =
      names_.name_of(reference_of(*subject, came.part), subject->to, subject->from);
  return find_by_name(name, restored(came.of.time_ms));
}

// A segment that may have gone twice was reported on under its second attempt's id: this receipt
// may be the first attempt's, and only the reference says so.
std::optional<SettledSegment> Tracker::settled_twice(SegmentName name, Moment came) const {
  const auto named = names_.find(name, came.wall_ms / 1000);
  const auto said = named ? twice_.said_of(named->message, named->part) : std::nullopt;
  if (!said) return std::nullopt;
  return SettledSegment{
      .at = named->message, .part = named->part, .state = *said, .possible_duplicate = true};
}

// A receipt of a segment that may have gone twice. Where one came under another id before, the
// carrier took both attempts: said once.
void Tracker::note_id(queue::Locator message, std::uint8_t part, const protocol::Receipt& receipt,
                      Moment now) {
  const auto other =
      twice_.on_receipt(message, part, receipt.message_id, state_of(verdict_of(receipt)));
  if (!other) return;
  const auto accepted = read(message).accepted;
  if (!accepted) return;  // a third one may say it
  twice_.confirm(message, part);
  ++stats_.confirmed_duplicates;
  const SubjectHere here(accepted->subject, setup_.carrier);
  TakenTwice twice;
  twice.of = {.accepted = message,
              .subject = here.octets(),
              .time_ms = now.wall_ms,
              .state = State::none,
              .possible_duplicate = true};
  twice.part = part;
  twice.message_id = *other;
  twice.other_message_id = receipt.message_id;
  outcomes_.write(twice);
}

// Where its id was given to another segment since, that one is not taken for it.
std::optional<Tracker::Target> Tracker::find_by_name(SegmentName name, Moment came) const {
  const auto named = names_.find(name, came.wall_ms / 1000);
  if (!named) return std::nullopt;
  for (const auto& key : {named->key, key_aside(named->message, named->part)}) {
    const auto segment = outstanding_.find(key);
    if (!segment || segment->at != named->message || segment->part != named->part) continue;
    if (is_before_it_was_sent(tick_of(came.steady), segment->sent_tick)) continue;
    return Target{.key = key, .segment = *segment, .id = name.as_id(), .by_reference = true};
  }
  return std::nullopt;
}

// Receipts that were ahead of this segment's response, and behind its submit_sm: what came before
// that is a stranger's, whose id the carrier has given again.
void Tracker::match_early(const TakenSegment& taken, const protocol::CanonicalId& id,
                          TimePoint sent, Moment now) {
  std::vector<KeptReceipt> kept = early_.take(id.text(), sent);
  if (names_.is_used() && taken.subject != nullptr) {
    const SegmentName name = names_.name_of(reference_of(*taken.subject, taken.part),
                                            taken.subject->to, taken.subject->from);
    const TimePoint ahead = now.steady - std::chrono::seconds(SegmentNames::kAheadSeconds);
    auto named = early_.take(name.as_id().text(), std::max(sent, ahead));
    std::ranges::move(named, std::back_inserter(kept));
  }
  std::size_t may_fail = kFailedReadsMax;  // a carrier may give all its receipts one id
  const FailedReads bounded(*this, may_fail);
  for (const KeptReceipt& each : kept) try_again(each, now);
}

// Where it is not told it is a stranger's still, its reference is another's too, or its record
// cannot be read.
bool Tracker::try_again(const KeptReceipt& kept, Moment now) {
  const protocol::Receipt receipt = kept.view();
  const Moment came{.steady = kept.came, .wall_ms = kept.came_ms};
  if (match(receipt, came, now) == Match::done) {
    ++stats_.receipts_matched_late;
    return true;
  }
  hold(receipt, came);
  return false;
}

Tracker::RecordRead Tracker::read(queue::Locator at) {
  if (may_fail_ != nullptr && *may_fail_ == 0) return {};
  RecordRead result{.accepted = records_.read(at), .is_gone = false};
  if (result.accepted) return result;
  result.is_gone = records_.is_gone(at);
  if (result.is_gone) result = read_told(at);
  if (result.accepted || result.is_gone) return result;
  ++stats_.records_unreadable;
  if (may_fail_ != nullptr) --*may_fail_;
  return result;
}

// All that may still be told of a message which ended as `unknown`.
Tracker::RecordRead Tracker::read_told(queue::Locator at) {
  const auto told = told_.find(at);
  if (!told) return {.accepted = std::nullopt, .is_gone = true};
  const auto subject = records_.read_subject(told->at);
  if (!subject) return {.accepted = std::nullopt, .is_gone = records_.is_gone(told->at)};
  RecordRead result;
  result.accepted.emplace();
  result.accepted->subject = *subject;
  result.accepted->flow = told->flow;
  result.accepted->flow_is_number = true;
  return result;
}

void Tracker::await_reading(const Target& target, Moment came, Moment now) {
  unread_.note(target.id.text(), target.segment.at);
  const std::uint64_t kept_until =
      came.wall_ms / 1000 +
      static_cast<std::uint64_t>(std::chrono::seconds(EarlyReceipts::kPatience).count());
  const std::uint16_t minute = outstanding_.minute_of(kept_until, now.wall_ms / 1000);
  if (!is_before(target.segment.expires_minute, minute)) return;
  OutstandingSegment segment = target.segment;
  segment.expires_minute = minute;
  outstanding_.put(target.key, segment);
}

// Once a second: those whose record may be readable now, the oldest first.
void Tracker::read_again(Moment now) {
  if (unread_.is_empty() || now.steady < read_again_at_) return;
  const bool is_all = unread_.size() <= kReadAtOnce;
  const FailedReads bounded(*this, read_again_may_fail_);
  for (std::size_t left = std::min(kReadAtOnce, unread_.size());
       left > 0 && read_again_may_fail_ > 0 && !unread_.is_empty(); --left) {
    for (const KeptReceipt& kept : early_.take(unread_.take())) try_again(kept, now);
  }
  const bool has_failed = read_again_may_fail_ < kFailedReadsMax;
  if (!has_failed || (read_again_may_fail_ > 0 && !is_all)) return;
  read_again_may_fail_ = kFailedReadsMax;
  read_again_at_ = now.steady + kReadAgainAfter;
}

void Tracker::start_rematch(protocol::MessageIdRule rule) {
  rule_ = rule;
  learner_ = {};
  rematch_may_fail_ = kFailedReadsMax;
  std::ranges::move(early_.take_all(), std::back_inserter(to_rematch_));
}

// What may not be read any more is left to read_again().
Rematched Tracker::rematch_some(std::size_t max, Moment now) {
  Rematched done;
  const FailedReads bounded(*this, rematch_may_fail_);
  for (; done.tried < max && !to_rematch_.empty(); ++done.tried) {
    const KeptReceipt kept = std::move(to_rematch_.front());
    to_rematch_.pop_front();
    if (kept.is_listed_only) {
      (void)early_.put(kept, {});  // counted when it came
    } else if (try_again(kept, now)) {
      ++done.matched;
    }
  }
  return done;
}

}  // namespace stentor::daemon
