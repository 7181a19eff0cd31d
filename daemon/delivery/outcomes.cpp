#include "daemon/delivery/outcomes.h"

namespace stentor::daemon {

template <class Body>
std::uint32_t Outcomes::add(RecordKind kind, const Body& body) {
  fields_.clear();
  encode(body, fields_);
  return feed_.open().records.add(static_cast<std::uint8_t>(kind), fields_.octets());
}

void Outcomes::note_told(const Following& of, std::uint32_t offset) {
  if (of.state != State::unknown && !of.has_unknown_part) return;
  told_.push_back(
      {.batch = feed_.open_number(), .offset = offset, .flow = of.flow, .message = of.accepted});
}

void Outcomes::take_told(const CommitBatch& batch, const Told& sink) {
  while (!told_.empty() && told_.front().batch <= batch.number) {
    const Written told = told_.front();
    told_.pop_front();
    sink(told.message, {.at = batch.records.at(told.offset), .flow = told.flow});
  }
}

void Outcomes::account(const Following& of, State corrects) {
  CommitBatch& batch = feed_.open();
  batch.has_events = true;
  batch.delta.count(of.state);
  if (corrects != State::none) {  // it was final before
    batch.delta.take_back(corrects);
    batch.correct(of.flow, of.state, corrects);
    return;
  }
  if (of.state != State::none) batch.count(of.flow, of.state, of.was_sent);
  if (is_final(of.state)) batch.finish(of.accepted.file());
}

void Outcomes::write(const PartAnswered& part) {
  add(RecordKind::part, part);
  account(part.of);
  // Final at once, since no receipt is due: it has been `sent` all the same.
  if (part.of.state == State::sent_final) ++feed_.open().delta.sent;
}

void Outcomes::write(const ReceiptCame& receipt) {
  note_told(receipt.of, add(RecordKind::receipt, receipt));
  account(receipt.of, receipt.corrects);
}

void Outcomes::write_again(const ReceiptCame& receipt) {
  add(RecordKind::receipt_again, receipt);
}

void Outcomes::write(const Verdict& verdict) {
  note_told(verdict.of, add(RecordKind::verdict, verdict));
  account(verdict.of);
}

void Outcomes::write(const Uncertain& uncertain) {
  add(RecordKind::uncertain, uncertain);
  account(uncertain.of);
}

void Outcomes::write(const Resolved& resolved) {
  add(RecordKind::resolved, resolved);
  account(resolved.of);
  if (resolved.of.state == State::sent_final) ++feed_.open().delta.sent;  // as for a part
}

void Outcomes::write(const Conflict& conflict) {
  add(RecordKind::conflict, conflict);
  account(conflict.of);
}

void Outcomes::write(const Orphan& orphan) {
  add(RecordKind::orphan, orphan);
}

void Outcomes::write(const TakenTwice& twice) {
  fields_.clear();
  encode(twice, fields_);
  feed_.open().records.add(kTakenTwiceRecord, fields_.octets());
  account(twice.of);
}

void Outcomes::write(const Released& released) {
  add(RecordKind::released, released);
}

void Outcomes::write(const CancelAnswered& answered) {
  fields_.clear();
  encode(answered, fields_);
  feed_.open().records.add(kCancelAnsweredRecord, fields_.octets());
}

void Outcomes::write(const Slowed& slowed) {
  fields_.clear();
  encode(slowed, fields_);
  feed_.open().records.add(kSlowedRecord, fields_.octets());
}

void Outcomes::write(const Paused& paused) {
  fields_.clear();
  encode(paused, fields_);
  feed_.open().records.add(kPausedRecord, fields_.octets());
}

std::uint32_t Outcomes::write(const CarrierCancelled& cancelled) {
  fields_.clear();
  encode(cancelled, fields_);
  return feed_.open().records.add(kCarrierCancelledRecord, fields_.octets());
}

void Outcomes::write(const Passed& passed) {
  add(RecordKind::passed, passed);
}

void Outcomes::write(const CarrierSwitched& switched) {
  add(RecordKind::carrier_switched, switched);
}

void Outcomes::write(const Moved& moved, const Arrival& arrival, std::size_t shards) {
  fields_.clear();
  encode(moved, fields_);
  Arrival handed_on = arrival;
  handed_on.record_offset =
      feed_.open().records.add(static_cast<std::uint8_t>(RecordKind::moved), fields_.octets());
  feed_.open().arrivals[arrival.carrier % shards].push_back(handed_on);
}

std::uint64_t Outcomes::write(const Intent& intent) {
  add(RecordKind::intent, intent);
  return feed_.open_number();
}

}  // namespace stentor::daemon
