// Receipts of segments that have had their last word: second copies, what comes behind a final one
// and knows no better, and what contradicts it.
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

Tracker::Match Tracker::repeat(const SettledSegment& settled, const Found& by,
                               const protocol::Receipt& receipt, Moment came, Moment now) {
  if (settled.possible_duplicate) note_id(settled.at, settled.part, receipt, now);
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
  ++stats_.receipts_conflicting;
  const std::string words = words_of(receipt.stat, receipt.err);
  const SubjectHere here(accepted->subject, setup_.carrier);
  const ReceiptCame said = said_by(receipt, came, now);
  Conflict conflict;
  conflict.of = of;
  conflict.of.subject = here.octets();
  conflict.of.time_ms = now.wall_ms;
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
