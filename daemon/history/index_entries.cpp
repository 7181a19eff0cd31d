#include "daemon/history/index_entries.h"

#include <xxhash.h>

#include <string>

#include "daemon/records/campaign_records.h"
#include "daemon/records/cancel_records.h"
#include "daemon/records/doubt_records.h"
#include "daemon/records/pause_records.h"
#include "daemon/records/records.h"
#include "daemon/records/taken_twice_record.h"
#include "protocol/message_id.h"

namespace stentor::daemon {
namespace {

using OnSequence = std::function<void(std::uint64_t)>;

void of_following(const Following& of, const OnSequence& on_sequence) {
  if (const auto subject = decode_subject(of.subject)) on_sequence(subject->id.sequence());
}

}  // namespace

std::uint64_t index_key(IndexedName name, std::string_view value) noexcept {
  return XXH3_64bits_withSeed(value.data(), value.size(), static_cast<std::uint64_t>(name) + 1);
}

std::uint64_t campaign_key(std::string_view client, std::string_view name) {
  std::string key(client);
  key.append(1, '\0').append(name);
  return index_key(IndexedName::campaign, key);
}

void index_record(const queue::Record& record, const OnSequence& on_sequence,
                  const std::function<void(std::uint64_t)>& on_name) {
  // Kinds that speak of no message, and kinds of a later version, are passed over.
  const auto kind = static_cast<RecordKind>(record.kind);
  if (kind == RecordKind::accepted) {
    const auto accepted = decode_accepted(record.payload);
    const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
    if (!subject) return;
    on_sequence(subject->id.sequence());
    on_name(index_key(IndexedName::to, subject->to));
    if (!subject->ref.empty()) on_name(index_key(IndexedName::ref, subject->ref));
  } else if (kind == RecordKind::intent) {
    if (const auto intent = decode_intent(record.payload)) {
      for (const std::uint64_t sequence : intent->sequences) on_sequence(sequence);
    }
  } else if (kind == RecordKind::released) {
    if (const auto released = decode_released(record.payload)) {
      for (const std::uint64_t sequence : released->sequences) on_sequence(sequence);
    }
  } else if (kind == RecordKind::part) {
    const auto part = decode_part(record.payload);
    if (!part) return;
    of_following(part->of, on_sequence);
    if (!part->message_id.empty()) {
      on_name(index_key(IndexedName::carrier_id, protocol::CanonicalId(part->message_id).text()));
    }
  } else if (kind == RecordKind::receipt || kind == RecordKind::receipt_again) {
    if (const auto receipt = decode_receipt(record.payload)) of_following(receipt->of, on_sequence);
  } else if (kind == RecordKind::verdict || kind == RecordKind::conflict) {
    if (const auto verdict = decode_verdict(record.payload)) of_following(verdict->of, on_sequence);
  } else if (kind == RecordKind::resolved) {
    if (const auto resolved = decode_resolved(record.payload)) {
      of_following(resolved->of, on_sequence);
    }
  } else if (kind == RecordKind::moved) {
    if (const auto moved = decode_moved(record.payload)) of_following(moved->of, on_sequence);
  } else if (kind == RecordKind::campaign_set) {
    if (const auto set = decode_campaign_set(record.payload)) {
      on_name(campaign_key(set->campaign.client, set->campaign.name));
    }
  } else if (kind == RecordKind::passed) {
    if (const auto passed = decode_passed(record.payload)) of_following(passed->of, on_sequence);
  } else if (kind == RecordKind::uncertain) {
    if (const auto uncertain = decode_uncertain(record.payload)) {
      of_following(uncertain->of, on_sequence);
    }
  } else if (record.kind == kCancelAnsweredRecord) {
    if (const auto answered = decode_cancel_answered(record.payload)) {
      of_following(answered->of, on_sequence);
    }
  } else if (record.kind == kPausedRecord) {
    if (const auto paused = decode_paused(record.payload)) of_following(paused->of, on_sequence);
  } else if (record.kind == kTakenTwiceRecord) {
    if (const auto twice = decode_taken_twice(record.payload)) of_following(twice->of, on_sequence);
  }
}

}  // namespace stentor::daemon
