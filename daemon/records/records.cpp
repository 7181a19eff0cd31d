#include "daemon/records/records.h"

namespace stentor::daemon {

void encode(const Following& of, FieldWriter& out) {
  out.u64(of.accepted.bits());
  out.u64(of.time_ms);
  out.u8(static_cast<std::uint8_t>(of.state));
  out.u8(static_cast<std::uint8_t>((of.possible_duplicate ? 1u : 0u) |
                                   (of.has_unknown_part ? 2u : 0u)));
  out.block(of.subject);
}

Following decode_following(FieldReader& in) {
  Following of;
  of.accepted = queue::Locator(in.u64());
  of.time_ms = in.u64();
  of.state = static_cast<State>(in.u8());
  const std::uint8_t flags = in.u8();
  of.possible_duplicate = (flags & 1u) != 0;
  of.has_unknown_part = (flags & 2u) != 0;
  of.subject = in.block();
  return of;
}

namespace {

void put(const std::vector<std::uint64_t>& sequences, FieldWriter& out) {
  out.varint(sequences.size());
  // Neighbours in a reserve are mostly neighbours in sequence: differences stay small.
  std::uint64_t last = 0;
  for (const std::uint64_t sequence : sequences) {
    const auto step = static_cast<std::int64_t>(sequence - last);
    out.varint(static_cast<std::uint64_t>(step) << 1 ^ static_cast<std::uint64_t>(step >> 63));
    last = sequence;
  }
}

std::vector<std::uint64_t> take_sequences(FieldReader& in) {
  std::vector<std::uint64_t> sequences;
  const std::uint64_t count = in.varint();
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < count && in.is_good(); ++i) {  // each takes an octet: bounded
    const std::uint64_t folded = in.varint();
    last += folded >> 1 ^ (0 - (folded & 1));
    if (in.is_good()) sequences.push_back(last);
  }
  return sequences;
}

void put_extra(AcceptedExtra number, std::span<const std::uint8_t> value, FieldWriter& out) {
  out.u8(static_cast<std::uint8_t>(number));
  out.block(value);
}

std::span<const std::uint8_t> octets_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void put_extras(const Accepted& accepted, FieldWriter& out) {
  if (accepted.service_type) {
    put_extra(AcceptedExtra::service_type, octets_of(*accepted.service_type), out);
  }
  if (accepted.protocol_id) put_extra(AcceptedExtra::protocol_id, {&*accepted.protocol_id, 1}, out);
  if (!accepted.tlvs.empty()) put_extra(AcceptedExtra::tlvs, accepted.tlvs, out);
  if (accepted.uncertain) {
    FieldWriter value;
    value.u8(static_cast<std::uint8_t>(accepted.uncertain->policy));
    value.u32(accepted.uncertain->seconds);
    put_extra(AcceptedExtra::uncertain, value.octets(), out);
  }
  if (accepted.hours) {
    FieldWriter value;
    value.u16(accepted.hours->from);
    value.u16(accepted.hours->to);
    value.text(accepted.hours->zone);
    put_extra(AcceptedExtra::hours, value.octets(), out);
  }
  if (accepted.expires_early_ms > 0) {
    FieldWriter value;
    value.u16(accepted.expires_early_ms);
    put_extra(AcceptedExtra::expires_early, value.octets(), out);
  }
  if (!accepted.route_reason.empty()) {
    put_extra(AcceptedExtra::route_reason, accepted.route_reason, out);
  }
  if (!accepted.encoding_reason.empty()) {
    put_extra(AcceptedExtra::encoding_reason, accepted.encoding_reason, out);
  }
}

void take_extras(FieldReader& in, Accepted& accepted) {
  while (in.is_good() && !in.is_at_end()) {
    const auto number = static_cast<AcceptedExtra>(in.u8());
    FieldReader value(in.block());
    switch (number) {
      case AcceptedExtra::service_type: {
        const auto octets = value.rest();
        accepted.service_type.emplace(reinterpret_cast<const char*>(octets.data()), octets.size());
        break;
      }
      case AcceptedExtra::protocol_id: accepted.protocol_id = value.u8(); break;
      case AcceptedExtra::tlvs: accepted.tlvs = value.rest(); break;
      case AcceptedExtra::uncertain:
        accepted.uncertain.emplace();
        accepted.uncertain->policy = static_cast<UncertainPolicy>(value.u8());
        accepted.uncertain->seconds = value.u32();
        break;
      case AcceptedExtra::hours:
        accepted.hours.emplace();
        accepted.hours->from = value.u16();
        accepted.hours->to = value.u16();
        accepted.hours->zone = value.text();
        break;
      case AcceptedExtra::expires_early: accepted.expires_early_ms = value.u16(); break;
      case AcceptedExtra::route_reason: accepted.route_reason = value.rest(); break;
      case AcceptedExtra::encoding_reason: accepted.encoding_reason = value.rest(); break;
    }
  }
}

template <class T>
std::optional<T> checked(const FieldReader& in, T value) {
  if (!in.is_good()) return std::nullopt;
  return value;
}

}  // namespace

void encode(const Subject& subject, FieldWriter& out) {
  out.u64(subject.id.high());
  out.u64(subject.id.low());
  out.u8(subject.parts);
  out.text(subject.client);
  out.text(subject.ref);
  out.text(subject.campaign);
  out.text(subject.to);
  out.text(subject.from);
  out.text(subject.carrier);
  out.text(subject.meta);
}

std::optional<Subject> decode_subject(std::span<const std::uint8_t> octets) {
  FieldReader in(octets);
  Subject subject;
  const std::uint64_t high = in.u64();
  subject.id = MessageId(high, in.u64());
  subject.parts = in.u8();
  subject.client = in.text();
  subject.ref = in.text();
  subject.campaign = in.text();
  subject.to = in.text();
  subject.from = in.text();
  subject.carrier = in.text();
  subject.meta = in.text();
  return checked(in, subject);
}

void encode(const Accepted& accepted, FieldWriter& out) {
  out.block(accepted.subject);
  out.u64(accepted.content);
  out.u64(accepted.not_before_ms);
  out.u32(accepted.expires);
  out.u32(accepted.flow);
  out.u16(accepted.reference);
  out.u8(accepted.priority);
  out.u8(static_cast<std::uint8_t>(accepted.receipt));
  out.u8(static_cast<std::uint8_t>(accepted.encoding));
  out.u8(static_cast<std::uint8_t>(
      (accepted.to_short_code ? 1u : 0u) | (accepted.owns_ref ? 2u : 0u) |
      (accepted.flash ? 4u : 0u) | (accepted.is_binary ? 8u : 0u) |
      (accepted.flow_is_number ? 16u : 0u) | (accepted.names_carrier ? 32u : 0u) |
      (accepted.ignores_opt_out ? 64u : 0u)));
  out.u8(static_cast<std::uint8_t>(accepted.replacement));
  out.u16(accepted.national);
  out.text(accepted.udh);
  out.text(accepted.text);
  put_extras(accepted, out);
}

std::optional<Accepted> decode_accepted(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Accepted accepted;
  accepted.subject = in.block();
  accepted.content = in.u64();
  accepted.not_before_ms = in.u64();
  accepted.expires = in.u32();
  accepted.flow = in.u32();
  accepted.reference = in.u16();
  accepted.priority = in.u8();
  accepted.receipt = static_cast<ReceiptWish>(in.u8());
  accepted.encoding = static_cast<EncodingWish>(in.u8());
  const std::uint8_t flags = in.u8();
  accepted.to_short_code = (flags & 1u) != 0;
  accepted.owns_ref = (flags & 2u) != 0;
  accepted.flash = (flags & 4u) != 0;
  accepted.is_binary = (flags & 8u) != 0;
  accepted.flow_is_number = (flags & 16u) != 0;
  accepted.names_carrier = (flags & 32u) != 0;
  accepted.ignores_opt_out = (flags & 64u) != 0;
  accepted.replacement = static_cast<encoding::Replacement>(in.u8());
  accepted.national = in.u16();
  accepted.udh = in.text();
  accepted.text = in.text();
  take_extras(in, accepted);
  return checked(in, accepted);
}

void encode(const Intent& intent, FieldWriter& out) {
  out.u32(intent.epoch);
  out.text(intent.carrier);
  out.u16(intent.bind);
  out.u64(intent.time_ms);
  put(intent.sequences, out);
  if (intent.waits.empty()) return;
  out.varint(intent.waits.size());
  for (const WaitSpan& wait : intent.waits) {
    out.u8(wait.cause);
    out.varint(wait.milliseconds);
  }
}

std::optional<Intent> decode_intent(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Intent intent;
  intent.epoch = in.u32();
  intent.carrier = in.text();
  intent.bind = in.u16();
  intent.time_ms = in.u64();
  intent.sequences = take_sequences(in);
  if (!in.is_at_end()) {
    const std::uint64_t waits = in.varint();
    for (std::uint64_t i = 0; i < waits && in.is_good(); ++i) {
      const std::uint8_t cause = in.u8();
      intent.waits.push_back({cause, in.varint()});
    }
  }
  return checked(in, std::move(intent));
}

void encode(const Released& released, FieldWriter& out) {
  out.u64(released.time_ms);
  put(released.sequences, out);
}

std::optional<Released> decode_released(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Released released;
  released.time_ms = in.u64();
  released.sequences = take_sequences(in);
  return checked(in, std::move(released));
}

void encode(const CarrierSwitched& switched, FieldWriter& out) {
  out.text(switched.carrier);
  out.u8(switched.suspended ? 1 : 0);
  out.u64(switched.time_ms);
  out.text(switched.client);
}

std::optional<CarrierSwitched> decode_carrier_switched(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  CarrierSwitched switched;
  switched.carrier = in.text();
  switched.suspended = in.u8() != 0;
  switched.time_ms = in.u64();
  switched.client = in.text();
  return checked(in, switched);
}

bool is_final(State state) noexcept {
  switch (state) {
    case State::none:
    case State::sent: return false;
    case State::delivered:
    case State::failed:
    case State::expired:
    case State::cancelled:
    case State::unknown:
    case State::sent_final: return true;
  }
  return false;
}

std::string_view name_of(State state) noexcept {
  switch (state) {
    case State::none: return "accepted";
    case State::sent:
    case State::sent_final: return "sent";
    case State::delivered: return "delivered";
    case State::failed: return "failed";
    case State::expired: return "expired";
    case State::cancelled: return "cancelled";
    case State::unknown: return "unknown";
  }
  return "unknown";
}

void encode(const PartAnswered& part, FieldWriter& out) {
  encode(part.of, out);
  out.u8(part.part);
  out.u8(part.attempt);
  out.u16(part.bind);
  out.u32(part.sequence_number);
  out.u32(part.command_status);
  out.text(part.message_id);
  out.u64(part.retry_at_ms);
  out.text(part.code);
  out.varint(part.response_ms);
}

std::optional<PartAnswered> decode_part(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  PartAnswered part;
  part.of = decode_following(in);
  part.part = in.u8();
  part.attempt = in.u8();
  part.bind = in.u16();
  part.sequence_number = in.u32();
  part.command_status = in.u32();
  part.message_id = in.text();
  part.retry_at_ms = in.u64();
  part.code = in.text();
  if (!in.is_at_end()) part.response_ms = static_cast<std::uint32_t>(in.varint());
  return checked(in, part);
}

void encode(const ReceiptCame& receipt, FieldWriter& out) {
  encode(receipt.of, out);
  out.u8(receipt.part);
  out.u8(receipt.message_state);
  out.u8(receipt.is_final_for_part ? 1 : 0);
  out.text(receipt.message_id);
  out.text(receipt.stat);
  out.text(receipt.err);
  out.text(receipt.code);
  out.text(receipt.message_code);
  out.text(receipt.message_detail);
  out.u8(static_cast<std::uint8_t>(receipt.corrects));
  out.u32(receipt.network_error_code);
  out.text(receipt.done_date);
  const std::uint64_t held_back_ms =
      receipt.of.time_ms - std::min(receipt.of.time_ms, receipt.came_at_ms());
  const bool has_more = held_back_ms > 0 || !receipt.sub.empty() || !receipt.dlvrd.empty() ||
                        !receipt.submit_date.empty();
  if (receipt.by_reference || has_more) out.u8(receipt.by_reference ? 1 : 0);
  if (!has_more) return;
  out.varint(held_back_ms);
  out.text(receipt.sub);
  out.text(receipt.dlvrd);
  out.text(receipt.submit_date);
}

std::optional<ReceiptCame> decode_receipt(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  ReceiptCame receipt;
  receipt.of = decode_following(in);
  receipt.part = in.u8();
  receipt.message_state = in.u8();
  receipt.is_final_for_part = in.u8() != 0;
  receipt.message_id = in.text();
  receipt.stat = in.text();
  receipt.err = in.text();
  receipt.code = in.text();
  receipt.message_code = in.text();
  receipt.message_detail = in.text();
  if (!in.is_at_end()) {  // what the first version wrote ends here
    receipt.corrects = static_cast<State>(in.u8());
    receipt.network_error_code = in.u32();
    receipt.done_date = in.text();
    if (!in.is_at_end()) receipt.by_reference = in.u8() != 0;
    if (!in.is_at_end()) {
      const std::uint64_t held_back_ms = in.varint();
      if (held_back_ms > 0) receipt.came_ms = receipt.of.time_ms - held_back_ms;
      receipt.sub = in.text();
      receipt.dlvrd = in.text();
      receipt.submit_date = in.text();
    }
  }
  return checked(in, receipt);
}

void encode(const Verdict& verdict, FieldWriter& out) {
  encode(verdict.of, out);
  out.text(verdict.code);
  out.text(verdict.detail);
  if (!verdict.by.empty()) out.text(verdict.by);
}

std::optional<Verdict> decode_verdict(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Verdict verdict;
  verdict.of = decode_following(in);
  verdict.code = in.text();
  verdict.detail = in.text();
  if (!in.is_at_end()) verdict.by = in.text();
  return checked(in, verdict);
}

void encode(const Uncertain& uncertain, FieldWriter& out) {
  encode(uncertain.of, out);
  out.text(uncertain.reason);
  out.u8(static_cast<std::uint8_t>(uncertain.policy));
  out.u8(static_cast<std::uint8_t>(uncertain.then));
  out.u64(uncertain.until_ms);
  out.varint(uncertain.parts.size());
  for (const bool is_in_doubt : uncertain.parts) out.u8(is_in_doubt ? 1 : 0);
  if (!uncertain.bind) return;
  out.u16(*uncertain.bind);
  out.varint(uncertain.sequence_numbers.size());
  for (const std::uint32_t number : uncertain.sequence_numbers) out.u32(number);
  if (uncertain.attempt > 0) out.u8(uncertain.attempt);
}

std::optional<Uncertain> decode_uncertain(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Uncertain uncertain;
  uncertain.of = decode_following(in);
  uncertain.reason = in.text();
  if (!in.is_at_end()) {  // what the first version wrote ends here
    uncertain.policy = static_cast<UncertainPolicy>(in.u8());
    uncertain.then = static_cast<UncertainPolicy>(in.u8());
    uncertain.until_ms = in.u64();
    const std::uint64_t parts = in.varint();
    for (std::uint64_t i = 0; i < parts && in.is_good(); ++i) {
      uncertain.parts.push_back(in.u8() != 0);
    }
    if (!in.is_at_end()) {
      uncertain.bind = in.u16();
      const std::uint64_t numbers = in.varint();
      for (std::uint64_t i = 0; i < numbers && in.is_good(); ++i) {
        uncertain.sequence_numbers.push_back(in.u32());
      }
      if (!in.is_at_end()) uncertain.attempt = in.u8();
    }
  }
  return checked(in, uncertain);
}

void encode(const Moved& moved, FieldWriter& out) {
  encode(moved.of, out);
  out.text(moved.from);
  out.text(moved.to);
  out.text(moved.reason);
}

std::optional<Moved> decode_moved(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Moved moved;
  moved.of = decode_following(in);
  moved.from = in.text();
  moved.to = in.text();
  moved.reason = in.text();
  return checked(in, moved);
}

void encode(const Passed& passed, FieldWriter& out) {
  encode(passed.of, out);
  out.u64(passed.earlier.high());
  out.u64(passed.earlier.low());
}

std::optional<Passed> decode_passed(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Passed passed;
  passed.of = decode_following(in);
  const std::uint64_t high = in.u64();
  passed.earlier = MessageId(high, in.u64());
  return checked(in, passed);
}

void encode(const ConsumerAt& consumer, FieldWriter& out) {
  out.text(consumer.client);
  out.text(consumer.name);
  out.u64(consumer.position);
  out.u8(consumer.sub);
  out.u64(consumer.time_ms);
  if (consumer.missed_to == 0) return;
  out.u64(consumer.missed_to);
  for (const std::uint64_t count : consumer.missed) out.varint(count);
  if (consumer.missed_bound != 0) out.u8(consumer.missed_bound);
}

std::optional<ConsumerAt> decode_consumer(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  ConsumerAt consumer;
  consumer.client = in.text();
  consumer.name = in.text();
  consumer.position = in.u64();
  consumer.sub = in.u8();
  consumer.time_ms = in.u64();
  if (!in.is_at_end()) {
    consumer.missed_to = in.u64();
    for (std::uint64_t& count : consumer.missed) count = in.varint();
  }
  if (!in.is_at_end()) consumer.missed_bound = in.u8();
  return checked(in, consumer);
}

void encode(const Orphan& orphan, FieldWriter& out) {
  out.text(orphan.carrier);
  out.u64(orphan.time_ms);
  out.u8(orphan.message_state);
  const bool has_counts =
      !orphan.sub.empty() || !orphan.dlvrd.empty() || !orphan.submit_date.empty();
  const bool lacks_reference = has_counts && !orphan.user_message_reference;
  out.u8(static_cast<std::uint8_t>((orphan.is_intermediate ? 1u : 0u) |
                                   (orphan.is_unread_conflict ? 2u : 0u) |
                                   (lacks_reference ? 4u : 0u)));
  out.text(orphan.message_id);
  out.text(orphan.stat);
  out.text(orphan.err);
  out.u32(orphan.network_error_code);
  out.text(orphan.done_date);
  if (!orphan.user_message_reference && !has_counts) return;
  out.u16(orphan.user_message_reference.value_or(0));
  out.text(orphan.source);
  out.text(orphan.destination);
  if (!has_counts) return;
  out.text(orphan.sub);
  out.text(orphan.dlvrd);
  out.text(orphan.submit_date);
}

std::optional<Orphan> decode_orphan(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Orphan orphan;
  orphan.carrier = in.text();
  orphan.time_ms = in.u64();
  orphan.message_state = in.u8();
  const std::uint8_t flags = in.u8();
  orphan.is_intermediate = (flags & 1u) != 0;
  orphan.is_unread_conflict = (flags & 2u) != 0;
  orphan.message_id = in.text();
  orphan.stat = in.text();
  orphan.err = in.text();
  if (!in.is_at_end()) {  // as above
    orphan.network_error_code = in.u32();
    orphan.done_date = in.text();
  }
  if (!in.is_at_end()) {
    const std::uint16_t reference = in.u16();
    if ((flags & 4u) == 0) orphan.user_message_reference = reference;
    orphan.source = in.text();
    orphan.destination = in.text();
  }
  if (!in.is_at_end()) {
    orphan.sub = in.text();
    orphan.dlvrd = in.text();
    orphan.submit_date = in.text();
  }
  return checked(in, orphan);
}

void Ledger::count(State state, std::uint64_t messages) noexcept {
  switch (state) {
    case State::none: break;
    case State::sent: sent += messages; break;
    case State::delivered: delivered += messages; break;
    case State::failed: failed += messages; break;
    case State::expired: expired += messages; break;
    case State::cancelled: cancelled += messages; break;
    case State::unknown: unknown += messages; break;
    case State::sent_final: sent_final += messages; break;
  }
}

void Ledger::add(const Ledger& other) noexcept {
  accepted += other.accepted;
  delivered += other.delivered;
  sent_final += other.sent_final;
  failed += other.failed;
  expired += other.expired;
  cancelled += other.cancelled;
  unknown += other.unknown;
  sent += other.sent;
}

void encode(const Ledger& totals, FieldWriter& out) {
  for (const std::uint64_t figure :
       {totals.accepted, totals.delivered, totals.sent_final, totals.failed, totals.expired,
        totals.cancelled, totals.unknown, totals.sent, totals.sequence_next}) {
    out.u64(figure);
  }
}

std::optional<Ledger> decode_totals(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  Ledger totals;
  for (std::uint64_t* figure :
       {&totals.accepted, &totals.delivered, &totals.sent_final, &totals.failed, &totals.expired,
        &totals.cancelled, &totals.unknown, &totals.sent, &totals.sequence_next}) {
    *figure = in.u64();
  }
  return checked(in, totals);
}

}  // namespace stentor::daemon
