// Receipts of segments that have had their last word: second copies, what comes behind a final one
// and knows no better, what contradicts it, and the first one of a segment that had been silent.
#include "daemon/delivery/subject_here.h"
#include "daemon/records/own_outcomes.h"
#include "daemon/tracking/tracker.h"

namespace stentor::daemon {

// Not `none` when the receipt speaks of a segment that has had its final one. A second copy changes
// nothing; another verdict is told as a conflict and changes nothing either.
Tracker::Match Tracker::repeated(const protocol::Receipt& receipt, Moment came, Moment now) {
  const protocol::Spellings spellings = protocol::spellings_of(receipt.message_id, rule_);
  for (std::uint8_t i = 0; i < spellings.count; ++i) {
    const std::string_view id = spellings.candidates[i].text();
    const auto settled = settled_of(outstanding_.fingerprint(id), came);
    if (settled && !is_of_another(settled->at, spellings.rules[i], receipt))
      return repeat(*settled, {.id = id, .by_reference = false}, receipt, came, now);
  }
  return Match::none;
}

std::optional<SettledSegment> Tracker::settled_of(const Outstanding::Fingerprint& key,
                                                  Moment came) const {
  auto settled = settled_.find(key);
  if (settled && is_before_it_was_sent(tick_of(came.steady), settled->sent_tick)) settled.reset();
  return settled;
}

SettledSegment Tracker::settled_as(const OutstandingSegment& segment, State state,
                                   bool possible_duplicate) {
  return {.at = segment.at,
          .part = segment.part,
          .state = state,
          .possible_duplicate = possible_duplicate,
          .parts = segment.parts,
          .sent_tick = segment.sent_tick};
}

void Tracker::note_silent(const Outstanding::Fingerprint& key, const OutstandingSegment& segment,
                          State message) {
  SettledSegment silent = settled_as(segment, message, segment.possible_duplicate != 0);
  silent.is_silent = true;
  settled_.put(key, silent);
}

// A receipt that names it by its reference alone: what fell silent is known by its id.
std::optional<SettledSegment> Tracker::silent_named(SegmentName name, Moment came) const {
  const auto named = names_.find(name, came.wall_ms / 1000);
  if (!named) return std::nullopt;
  for (const auto& key : {named->key, key_aside(named->message, named->part)}) {
    const auto settled = settled_of(key, came);
    if (settled && settled->is_silent && settled->at == named->message &&
        settled->part == named->part) {
      return settled;
    }
  }
  return std::nullopt;
}

Tracker::Match Tracker::repeat(const SettledSegment& settled, const Found& by,
                               const protocol::Receipt& receipt, Moment came, Moment now) {
  if (settled.possible_duplicate) note_id(settled.at, settled.part, receipt, now);
  if (settled.is_silent) return come_late(settled, by, receipt, came, now);
  const Following of{
      .accepted = settled.at, .subject = {}, .possible_duplicate = settled.possible_duplicate};
  const State state = state_of(verdict_of(receipt));
  // What is not final, or knows nothing, contradicts nobody; nor does what a carrier reports of a
  // segment that it called back, unless it was delivered all the same.
  const bool is_agreed = settled.state == State::cancelled && state != State::delivered;
  if (state == State::none || state == State::unknown || state == settled.state || is_agreed) {
    note_again(of, settled.part, by.by_reference, receipt, came, now);
    return Match::done;
  }
  const auto [accepted, is_gone] = read(settled.at);
  if (is_gone) return Match::none;
  if (!accepted) {
    unread_.note(by.id, settled.at);
    return Match::unread_conflict;
  }
  return contradict(settled, *accepted, by, receipt, came, now);
}

// Its message is over, and stays what it was told to be.
Tracker::Match Tracker::come_late(const SettledSegment& settled, const Found& by,
                                  const protocol::Receipt& receipt, Moment came, Moment now) {
  const State state = state_of(verdict_of(receipt));
  if (state == State::none || state == State::unknown) {
    const Following of{
        .accepted = settled.at, .subject = {}, .possible_duplicate = settled.possible_duplicate};
    note_again(of, settled.part, by.by_reference, receipt, came, now);
    return Match::done;
  }
  const auto [accepted, is_gone] = read(settled.at);
  if (is_gone) return Match::none;
  if (!accepted) {
    unread_.note(by.id, settled.at);
    return Match::unread;
  }
  // Of one segment, over without a receipt: nothing else can have become of it.
  const bool is_sent_final = settled.state == State::none && settled.parts == 1 &&
                             accepted->receipt == ReceiptWish::failure;
  const State message = is_sent_final ? State::sent_final : settled.state;
  SettledSegment known = settled;
  known.state = state;
  known.is_silent = false;
  settled_.put(outstanding_.fingerprint(by.id), known);
  if (message != State::none && state != State::delivered && is_worse(state, message)) {
    return contradict(settled, *accepted, by, receipt, came, now);
  }
  count_receipt(receipt);
  const SubjectHere here(accepted->subject, setup_.carrier, settled.parts);
  ReceiptCame said = said_by(receipt, came, now);
  said.of = {.accepted = settled.at,
             .subject = here.octets(),
             .time_ms = now.wall_ms,
             .possible_duplicate = settled.possible_duplicate,
             .flow = flow_of(*accepted),
             .was_sent = true};
  said.part = settled.part;
  said.by_reference = by.by_reference;
  outcomes_.write(said);
  return Match::done;
}

Tracker::Match Tracker::contradict(const SettledSegment& settled, const Accepted& accepted,
                                   const Found& by, const protocol::Receipt& receipt, Moment came,
                                   Moment now) {
  ++stats_.receipts_conflicting;
  const std::string words = words_of(receipt.stat, receipt.err);
  const SubjectHere here(accepted.subject, setup_.carrier);
  const ReceiptCame said = said_by(receipt, came, now);
  Conflict conflict;
  conflict.of = {.accepted = settled.at,
                 .subject = here.octets(),
                 .time_ms = now.wall_ms,
                 .possible_duplicate = settled.possible_duplicate};
  conflict.code = said.code.empty() ? own_outcome::kDelivered : said.code;
  conflict.detail = words;
  conflict.part = settled.part;
  conflict.message_id = said.message_id;
  conflict.done_date = said.done_date;
  conflict.by_reference = by.by_reference;
  outcomes_.write(conflict);
  return Match::done;
}

// The message's record is read for its id, which a history is found by: for as many as are written.
// One that cannot be read costs its history this step.
void Tracker::note_again(const Following& of, std::uint8_t part, bool by_reference,
                         const protocol::Receipt& receipt, Moment came, Moment now) {
  ++stats_.receipts_duplicate;
  if (is_restoring_ || !copies_.count(of.accepted, part)) return;
  const RecordRead message = read(of.accepted);
  if (!message.accepted) return;
  const SubjectHere here(message.accepted->subject, setup_.carrier);
  ReceiptCame said = said_by(receipt, came, now);
  said.of = of;
  said.of.subject = here.octets();
  said.of.time_ms = now.wall_ms;
  said.part = part;
  said.by_reference = by_reference;
  outcomes_.write_again(said);
}

}  // namespace stentor::daemon
