// The ways to match a receipt that come after its id: by its reference, when its response comes
// later, and when the rule of the carrier's ids is corrected.
#include <algorithm>

#include "daemon/delivery/submit_composer.h"
#include "daemon/tracking/tracker.h"

namespace stentor::daemon {

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
  settled_.erase(name.as_id().text());
}

bool Tracker::apply_by_reference(const protocol::Receipt& receipt, std::uint64_t came_ms,
                                 Moment now) {
  const auto name = names_.name_of(receipt);
  if (!name) return false;
  const protocol::CanonicalId id = name->as_id();
  if (const auto target = find_by_name(*name, came_ms / 1000)) {
    ++stats_.receipts_by_reference;
    apply(*target, receipt, now);
    return true;
  }
  const auto settled = settled_.find(id.text());
  if (settled) repeat(*settled, receipt, now);
  return settled.has_value();
}

std::optional<Tracker::Target> Tracker::find_named(const ReceiptCame& came) {
  const auto subject = decode_subject(came.of.subject);
  if (!subject || !names_.is_used()) return std::nullopt;
  const SegmentName name =
      names_.name_of(reference_of(*subject, came.part), subject->to, subject->from);
  return find_by_name(name, came.of.time_ms / 1000);
}

// Where its id was given to another segment since, that one is not taken for it.
std::optional<Tracker::Target> Tracker::find_by_name(SegmentName name, std::uint64_t came) const {
  const auto named = names_.find(name, came);
  if (!named) return std::nullopt;
  for (const auto& key : {named->key, key_aside(named->message, named->part)}) {
    const auto segment = outstanding_.find(key);
    if (!segment || segment->at != named->message || segment->part != named->part) continue;
    return Target{.key = key, .segment = *segment, .id = name.as_id(), .by_reference = true};
  }
  return std::nullopt;
}

// Receipts that were ahead of this segment's response.
void Tracker::match_early(const TakenSegment& taken, const protocol::CanonicalId& id, Moment now) {
  std::vector<KeptReceipt> kept = early_.take(id.text());
  if (names_.is_used() && taken.subject != nullptr) {
    const SegmentName name = names_.name_of(reference_of(*taken.subject, taken.part),
                                            taken.subject->to, taken.subject->from);
    auto named =
        early_.take(name.as_id().text(),
                    now.wall_ms - std::min(now.wall_ms, SegmentNames::kAheadSeconds * 1000));
    std::ranges::move(named, std::back_inserter(kept));
  }
  for (const KeptReceipt& each : kept) {
    const protocol::Receipt receipt = each.view();
    if (is_matched(receipt, each.came_ms, now)) {
      ++stats_.receipts_matched_late;
    } else {
      hold(receipt, now, each.came_ms);  // its reference is another's too
    }
  }
}

void Tracker::start_rematch(protocol::MessageIdRule rule) {
  rule_ = rule;
  learner_ = {};
  std::ranges::move(early_.take_all(), std::back_inserter(to_rematch_));
}

Rematched Tracker::rematch_some(std::size_t max, Moment now) {
  Rematched done;
  for (; done.tried < max && !to_rematch_.empty(); ++done.tried) {
    const KeptReceipt kept = std::move(to_rematch_.front());
    to_rematch_.pop_front();
    const protocol::Receipt receipt = kept.view();
    if (is_matched(receipt, kept.came_ms, now)) {
      ++stats_.receipts_matched_late;
      ++done.matched;
    } else {
      hold(receipt, now, kept.came_ms);
    }
  }
  return done;
}

}  // namespace stentor::daemon
