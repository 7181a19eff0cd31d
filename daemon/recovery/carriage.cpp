#include "daemon/recovery/carriage.h"

#include <vector>

#include "daemon/records/cancel_records.h"
#include "daemon/records/carried_records.h"
#include "daemon/records/carrier_cancel_records.h"
#include "daemon/records/consumer_records.h"
#include "daemon/records/inbound_records.h"
#include "daemon/records/pause_records.h"
#include "daemon/records/slowed_records.h"
#include "daemon/records/taken_twice_record.h"

namespace stentor::daemon {

Carriage carriage_of(std::uint8_t kind) noexcept {
  switch (static_cast<RecordKind>(kind)) {
    // The first file behind a checkpoint begins with these, and so does the checkpoint.
    case RecordKind::totals:
    case RecordKind::campaign:
    case RecordKind::campaign_set:
    case RecordKind::campaign_forgotten:
    case RecordKind::carrier_switched: return Carriage::dropped;
    case RecordKind::accepted: return Carriage::message;
    case RecordKind::intent:
    case RecordKind::released: return Carriage::sequences;
    case RecordKind::part:
    case RecordKind::receipt:
    case RecordKind::verdict:
    case RecordKind::moved:
    case RecordKind::resolved:
    case RecordKind::uncertain: return Carriage::follows;
    case RecordKind::passed:
    case RecordKind::receipt_again:
    case RecordKind::conflict: return Carriage::dropped;  // told then; nothing came of it
    case RecordKind::consumer: return Carriage::latest;
    case RecordKind::orphan: return Carriage::recent;
  }
  if (kind == kCancelAnsweredRecord) return Carriage::dropped;  // likewise
  if (kind == kCarriedRecord) return Carriage::dropped;  // each file begins with it, as with totals
  if (kind == kSlowedRecord || kind == kTakenTwiceRecord || kind == kPausedRecord) {
    return Carriage::follows;
  }
  // It means what waits at its place, so there it stays.
  if (kind == kCarrierCancelledRecord) return Carriage::latest;
  switch (
      static_cast<InboundRecordKind>(kind)) {  // parts wait for their message for less than that
    case InboundRecordKind::came:
    case InboundRecordKind::part: return Carriage::recent;
  }
  if (kind == kConsumerCampaignRecord) return Carriage::latest;
  return Carriage::kept;  // opt-outs and dead letters, and what this version does not know
}

std::string key_of(const queue::Record& record) {
  std::string key(1, static_cast<char>(record.kind));
  if (static_cast<RecordKind>(record.kind) == RecordKind::consumer) {
    if (const auto consumer = decode_consumer(record.payload)) {
      key.append(consumer->client).push_back('\0');
      return key.append(consumer->name);
    }
  }
  if (record.kind == kConsumerCampaignRecord) {
    if (const auto consumer = decode_consumer_campaign(record.payload)) {
      key.append(consumer->client).push_back('\0');
      return key.append(consumer->name);
    }
  }
  if (record.kind == kCarrierCancelledRecord) {
    if (const auto cancelled = decode_carrier_cancelled(record.payload)) {
      return key.append(cancelled->carrier);
    }
  }
  return key.append(record.payload.begin(), record.payload.end());
}

std::uint64_t time_of(const queue::Record& record) {
  if (static_cast<RecordKind>(record.kind) == RecordKind::orphan) {
    if (const auto orphan = decode_orphan(record.payload)) return orphan->time_ms;
  }
  switch (static_cast<InboundRecordKind>(record.kind)) {
    case InboundRecordKind::came:
      if (const auto came = decode_inbound(record.payload)) return came->time_ms;
      break;
    case InboundRecordKind::part:
      if (const auto part = decode_inbound_part(record.payload)) return part->time_ms;
      break;
  }
  return UINT64_MAX;
}

std::optional<AboutMessage> about_message(const queue::Record& record, Carriage carriage) {
  FieldReader in(record.payload);
  AboutMessage about;
  if (carriage == Carriage::follows) {
    about.accepted = queue::Locator(in.u64());
    about.time_ms = in.u64();
    const auto state = static_cast<State>(in.u8());
    constexpr std::uint8_t kHasUnknownPart = 2;  // encode(Following)
    const bool has_unknown_part = (in.u8() & kHasUnknownPart) != 0;
    about.is_unknown = is_final(state) && (state == State::unknown || has_unknown_part);
    about.is_final = is_final(state) && !about.is_unknown;
  }
  FieldReader subject(in.block());
  const std::uint64_t high = subject.u64();
  const MessageId id(high, subject.u64());
  if (!in.is_good() || !subject.is_good()) return std::nullopt;
  about.sequence = id.sequence();
  if (carriage == Carriage::message) about.time_ms = id.time_ms();
  return about;
}

Carriage speaks_as(std::uint8_t kind) noexcept {
  if (kind == static_cast<std::uint8_t>(RecordKind::passed) ||
      kind == static_cast<std::uint8_t>(RecordKind::receipt_again) ||
      kind == static_cast<std::uint8_t>(RecordKind::conflict) || kind == kCancelAnsweredRecord) {
    return Carriage::follows;
  }
  switch (const Carriage carriage = carriage_of(kind)) {
    case Carriage::message:
    case Carriage::follows:
    case Carriage::sequences: return carriage;
    case Carriage::dropped:
    case Carriage::latest:
    case Carriage::recent:
    case Carriage::kept: break;
  }
  return Carriage::dropped;
}

std::optional<std::size_t> encode_kept(const queue::Record& record,
                                       const std::function<bool(std::uint64_t)>& kept,
                                       FieldWriter& out) {
  const auto encode_left = [&](auto named) -> std::optional<std::size_t> {
    if (!named) return std::nullopt;
    std::erase_if(named->sequences, std::not_fn(kept));
    out.clear();
    encode(*named, out);
    return named->sequences.size();
  };
  return static_cast<RecordKind>(record.kind) == RecordKind::intent
             ? encode_left(decode_intent(record.payload))
             : encode_left(decode_released(record.payload));
}

}  // namespace stentor::daemon
