// What the journal says of messages in doubt: which are held, what ended the others, and what the
// carrier took twice.
#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/records/own_outcomes.h"
#include "daemon/recovery/replay.h"

namespace stentor::daemon {

void Replay::visit_uncertain(const queue::Record& record) {
  const auto uncertain = decode_uncertain(record.payload);
  if (!uncertain) {
    ++report_.not_understood;
    return;
  }
  std::uint64_t sequence = 0;
  Entry* entry = entry_of(uncertain->of, sequence);
  if (entry == nullptr) return;
  entry->possible_duplicate = true;
  entry->intended = false;
  entry->cleared = false;
  RefusalCounts& refusals = refusals_of(sequence, *entry);
  refusals.note(StatusClass::doubt, uncertain->of.time_ms);
  refusals.count(StatusClass::doubt);
  if (uncertain->attempt > 0) {
    entry->attempts = std::max(entry->attempts, uncertain->attempt);
  } else if ((uncertain->reason == own_outcome::kAmbiguousStatus ||
              uncertain->reason == own_outcome::kCrash) &&
             entry->attempts < UINT8_MAX) {
    ++entry->attempts;
  }
  const bool ends_here = uncertain->policy == UncertainPolicy::fail;
  // Older records under `resend` have no pause: their messages went again at once.
  const bool went_on = uncertain->policy == UncertainPolicy::resend && uncertain->until_ms == 0;
  if (ends_here || went_on) return;
  HeldEntry& held = held_[sequence];
  held.since_ms = uncertain->of.time_ms;
  held.until_ms = uncertain->until_ms;
  held.policy = uncertain->policy;
  held.then = uncertain->then;
  held.doubt.assign(uncertain->parts.begin(), uncertain->parts.end());
  held.doubt.resize(entry->parts, false);
}

void Replay::visit_resolved(const queue::Record& record) {
  const auto resolved = decode_resolved(record.payload);
  if (!resolved) {
    ++report_.not_understood;
    return;
  }
  std::uint64_t sequence = 0;
  Entry* entry = entry_of(resolved->of, sequence);
  if (resolved->of.state == State::sent_final) ++ledger_.sent;
  const auto held = held_.find(sequence);
  if (entry != nullptr && held != held_.end()) {
    if (resolved->end == DoubtEnd::said_sent) {  // its other parts go on
      PartSet& taken = partials_[sequence].taken;
      taken.resize(entry->parts, false);
      for (std::size_t i = 0; i < entry->parts; ++i) {
        if (held->second.doubt[i]) taken[i] = true;
      }
    }
    held_.erase(held);
  }
  advance(resolved->of, entry, sequence);
}

// A receipt has proved that the carrier has it.
void Replay::end_doubt_of_part(std::uint64_t sequence, std::uint8_t part) {
  const auto held = held_.find(sequence);
  if (held == held_.end() || part == 0 || part > held->second.doubt.size()) return;
  held->second.doubt[part - 1u] = false;
  if (std::ranges::find(held->second.doubt, true) == held->second.doubt.end()) held_.erase(held);
}

bool Replay::visit_taken_twice(const queue::Record& record) {
  const auto twice = decode_taken_twice(record.payload);
  const auto subject = twice ? decode_subject(twice->of.subject) : std::nullopt;
  if (!subject) return false;
  const Entry* entry = live_.find(subject->id.sequence());
  std::optional<std::uint16_t> carrier = routing_.carrier_named(subject->carrier);
  if (entry != nullptr && entry->carrier != kNoCarrier) {
    carrier = static_cast<std::uint16_t>(entry->carrier);
  }
  if (carrier) carrier_of_(*carrier).restore_taken_twice(*twice);
  return true;
}

void Replay::count_doubt(const Entry& entry, UncertainPolicy policy, std::uint64_t since_ms) {
  Doubts& doubts = report_.doubts[static_cast<std::uint16_t>(entry.carrier)];
  ++doubts.by_policy[static_cast<std::size_t>(policy)];
  doubts.since_ms = std::min(doubts.since_ms, since_ms);
  if (policy == UncertainPolicy::resend) ++report_.waiting;  // for the end of its pause
}

// What it was to wait it waits from now on at most, should the clock have been ahead.
void Replay::hand_over_held(CarrierDelivery& carrier, std::uint64_t sequence, const Entry& entry,
                            const HeldEntry& held, const queue::Lanes::Pick& pick, Retry retry) {
  if (held.policy != UncertainPolicy::resend) ++report_.held;
  count_doubt(entry, held.policy, held.since_ms);
  const std::uint64_t wait_ms = held.until_ms - std::min(held.since_ms, held.until_ms);
  carrier.restore_held(
      sequence, {.pick = pick,
                 .retry = std::move(retry),
                 .doubt = held.doubt,
                 .since_ms = held.since_ms,
                 .until_ms = held.until_ms == 0 ? 0 : std::min(held.until_ms, now_ms_ + wait_ms),
                 .then = held.then,
                 .expires_ms = expires_ms_of(entry)});
}

}  // namespace stentor::daemon
