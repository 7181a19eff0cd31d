// What the tracker knew before the start, told to it again from the journal.
#include <algorithm>

#include "daemon/records/own_outcomes.h"
#include "daemon/tracking/tracker.h"

namespace stentor::daemon {
namespace {

bool is_final(const KeptReceipt& kept) {
  return verdict_of(kept.view()) != protocol::ReceiptVerdict::intermediate;
}

}  // namespace

void Tracker::restore_taken(const TakenSegment& taken) {
  OutstandingSegment segment;
  segment.at = taken.of.accepted;
  segment.sent_tick = tick_of(sent_at(taken, restored(taken.of.time_ms))) & kSentTickMask;
  segment.expires_minute = outstanding_.minute_of(
      std::uint64_t{taken.expires} + kReceiptMarginSeconds, outstanding_.made_at());
  segment.part = taken.part;
  segment.parts = taken.parts;
  segment.possible_duplicate = taken.of.possible_duplicate ? 1 : 0;
  if (taken.parts > 1) parts_.expect(segment.at, taken.parts, taken.of.possible_duplicate);
  if (taken.message_id.empty()) {
    if (taken.parts > 1) {
      (void)parts_.settle(segment.at, taken.part, State::sent_final, own_outcome::kNoMessageId, {});
    }
    return;
  }
  const protocol::CanonicalId id(taken.message_id);
  const auto key = outstanding_.fingerprint(id.text());
  await(key, segment);
  if (watch_ != nullptr) {
    watch_->on_awaited(segment.at, segment.part, taken.message_id,
                       std::uint64_t{taken.expires} + kReceiptMarginSeconds);
  }
  settled_.erase(key);
  name(taken, key, taken.of.time_ms);
}

void Tracker::restore_receipt(const ReceiptCame& came, std::uint8_t parts) {
  const auto target = came.by_reference ? find_named(came) : find_matched(came);
  const bool is_found = target && target->segment.at == came.of.accepted;
  if (is_found) forget_unmatched(*target, came);
  // Of a message that may have gone twice each part need not.
  const bool may_be_twice = is_found && target->segment.possible_duplicate != 0;
  if (may_be_twice && came.code != own_outcome::kCancelled) {
    const auto kind = static_cast<protocol::MessageState>(came.message_state);
    (void)twice_.on_receipt(
        came.of.accepted, came.part, came.message_id,
        came.is_final_for_part ? state_of(protocol::verdict_of(kind)) : State::none);
  }
  if (!came.is_final_for_part) return;
  const auto said = static_cast<protocol::MessageState>(came.message_state);
  const State state = came.code == own_outcome::kCancelled ? State::cancelled
                                                           : state_of(protocol::verdict_of(said));
  if (is_found) restore(*target, came, state);
  if (parts > 1) {
    (void)parts_.settle(came.of.accepted, came.part, state, came.code,
                        words_of(came.stat, came.err));
  }
}

// It, its copies and what contradicts it were orphans for a while, and were dealt with together:
// told again at each start, a contradiction would be another each time. One that is not final takes
// no final one with it: that may have waited for its record to be readable, and waits on.
void Tracker::forget_unmatched(const Target& target, const ReceiptCame& came) {
  const protocol::CanonicalId id(came.message_id);
  const auto is_over = [&](const KeptReceipt& kept) {
    return !is_before_it_was_sent(tick_of(kept.came), target.segment.sent_tick) &&
           (came.is_final_for_part || !is_final(kept));
  };
  early_.forget(id.text(), is_over);
  if (target.by_reference) early_.forget(target.id.text(), is_over);
}

// By whatever rule it was: the configured one may be another now. So the record's part counts,
// since another part of the message may have an id that this one reads as: "82" is 130 as well.
std::optional<Tracker::Target> Tracker::find_matched(const ReceiptCame& came) const {
  const protocol::Spellings spellings =
      protocol::spellings_of(came.message_id, protocol::MessageIdRule::automatic);
  for (std::uint8_t i = 0; i < spellings.count; ++i) {
    const auto key = outstanding_.fingerprint(spellings.candidates[i].text());
    const auto segment = outstanding_.find(key);
    if (!segment || segment->at != came.of.accepted || segment->part != came.part) continue;
    return Target{
        .key = key, .segment = *segment, .id = spellings.candidates[i], .by_reference = false};
  }
  return std::nullopt;
}

void Tracker::restore(const Target& target, const ReceiptCame& came, State state) {
  if (watch_ != nullptr) watch_->on_settled(came.of.accepted, came.part);
  if (state == State::unknown) {
    OutstandingSegment told = target.segment;
    told.is_told = 1;
    told.expires_minute =
        outstanding_.minute_of(came.of.time_ms / 1000 + kCorrectionSeconds, outstanding_.made_at());
    outstanding_.put(target.key, told);
  } else {
    outstanding_.erase(target.key);
    settled_.put(settled_key(target),
                 settled_as(target.segment, state, came.of.possible_duplicate));
  }
}

void Tracker::restore_unmatched(const protocol::Receipt& receipt, std::uint64_t came_ms,
                                bool is_unread_conflict) {
  // By what forget_unmatched() asks for; rematch_some() gives them all their spellings.
  std::vector<std::string> ids;
  if (!receipt.message_id.empty()) {
    ids.emplace_back(protocol::CanonicalId(receipt.message_id).text());
  }
  if (const auto name = names_.name_of(receipt)) ids.emplace_back(name->as_id().text());
  KeptReceipt kept = KeptReceipt::of(receipt, came_ms, restored(came_ms).steady);
  // It may have been told before this start, and would be again at each.
  kept.is_listed_only = is_unread_conflict;
  (void)early_.put(std::move(kept), ids);
}

void Tracker::finish_restoring(const std::vector<std::uint64_t>& live,
                               const std::vector<std::uint64_t>& unknown, Moment now) {
  const auto is_in = [](const std::vector<std::uint64_t>& list, queue::Locator at) {
    return std::ranges::binary_search(list, at.bits());
  };
  outstanding_.keep_only([&](const Outstanding::Fingerprint& key, OutstandingSegment& segment) {
    if (is_in(live, segment.at)) return true;
    if (!is_in(unknown, segment.at)) {
      if (segment.is_told == 0) note_silent(key, segment, State::none);
      return segment.is_told != 0;  // of a part alone
    }
    if (!segment.is_told) {
      segment.is_told = 1;
      segment.expires_minute =
          outstanding_.minute_of(now.wall_ms / 1000 + kCorrectionSeconds, outstanding_.made_at());
    }
    return true;
  });
  parts_.keep_only([&](queue::Locator at) { return is_in(live, at) || is_in(unknown, at); });
  for (const std::uint64_t bits : unknown) parts_.restore_unknown(queue::Locator(bits));
  to_rematch_ = early_.take_all();
  is_restoring_ = true;
  while (rematch_some(to_rematch_.size(), now).tried > 0) {
  }
  is_restoring_ = false;
}

}  // namespace stentor::daemon
