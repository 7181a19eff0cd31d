// What carriers report later: receipts matched to segments, parts to messages, messages to
// verdicts.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/subject_here.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

using protocol::ReceiptVerdict;

// A carrier may report an expiry some time after the fact; an hour covers those met in the field.
constexpr std::uint32_t kReceiptMarginSeconds = 3600;

std::string_view code_of(protocol::MessageState state) {
  switch (state) {
    case protocol::MessageState::scheduled: return "scheduled";
    case protocol::MessageState::enroute: return "enroute";
    case protocol::MessageState::delivered: return "";
    case protocol::MessageState::expired: return "expired";
    case protocol::MessageState::deleted: return "deleted";
    case protocol::MessageState::undeliverable: return "undeliverable";
    case protocol::MessageState::accepted: return "accepted_by_carrier";
    case protocol::MessageState::unknown: return "unknown";
    case protocol::MessageState::rejected: return "carrier_rejected";
    case protocol::MessageState::skipped: return "skipped";
  }
  return "unknown";
}

// The verdict of a message is that of its worst part: failed > expired > unknown > delivered.
int badness(State state) {
  switch (state) {
    case State::failed: return 5;
    case State::expired: return 4;
    case State::unknown: return 3;
    case State::delivered: return 2;
    case State::sent_final: return 1;  // a part that can have no receipt says nothing
    case State::none:
    case State::sent:
    case State::cancelled: return 0;
  }
  return 0;
}

// The carrier's own words: what an event's detail says.
std::string words_of(const protocol::Receipt& receipt) {
  std::string words = "stat:" + std::string(receipt.stat.substr(0, 32));
  if (!receipt.err.empty()) words += " err:" + std::string(receipt.err.substr(0, 32));
  return words;
}

std::uint32_t steady_ms_now() {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace

State state_of(ReceiptVerdict verdict) noexcept {
  switch (verdict) {
    case ReceiptVerdict::intermediate: return State::none;
    case ReceiptVerdict::delivered: return State::delivered;
    case ReceiptVerdict::failed: return State::failed;
    case ReceiptVerdict::expired: return State::expired;
    case ReceiptVerdict::unknown: return State::unknown;
  }
  return State::none;
}

protocol::MessageIdRule CarrierDelivery::message_id_rule() const noexcept {
  switch (config_.message_id) {
    case MessageIds::automatic: return protocol::MessageIdRule::automatic;
    case MessageIds::hex: return protocol::MessageIdRule::hex;
    case MessageIds::decimal: return protocol::MessageIdRule::decimal;
    case MessageIds::verbatim: return protocol::MessageIdRule::verbatim;
  }
  return protocol::MessageIdRule::automatic;
}

// The carrier took a segment under this id: a receipt may come, or has come already.
void CarrierDelivery::track(const Sending& sent, std::uint16_t part, std::string_view message_id) {
  const std::uint8_t parts = sent.subject.parts;
  OutstandingSegment segment;
  segment.at = sent.pick.ticket.at;
  segment.sent_ms = std::max(1u, steady_ms_now());
  segment.expires_minute =
      outstanding_.minute_of(std::uint64_t{sent.accepted.expires} + kReceiptMarginSeconds);
  segment.part = static_cast<std::uint8_t>(part + 1);
  segment.parts = parts;
  if (parts > 1) {
    auto& states = multi_[segment.at.bits()].states;
    if (states.empty()) states.resize(parts, State::none);
  }
  if (message_id.empty()) {  // no receipt can ever be matched to this part
    if (parts == 1) return;
    const Settled settled = settle_part(segment, State::sent_final, "no_message_id",
                                        "the carrier gave no id for a part");
    if (settled.state == State::none) return;
    Verdict verdict;
    verdict.of = following(sent, settled.state);
    verdict.of.was_sent = true;
    verdict.code = settled.code;
    verdict.detail = settled.detail;
    outcomes_.write(verdict);
    count_verdict(settled.state);
    return;
  }
  const protocol::CanonicalId id(message_id);
  outstanding_.put(id.text(), segment);
  await_receipt(segment, message_id, std::uint64_t{sent.accepted.expires} + kReceiptMarginSeconds);
  settled_segments_.erase(id.text());
  if (early_.is_empty()) return;
  for (const KeptReceipt& kept : early_.take(id.text())) {
    ++stats_.receipts_matched_late;
    (void)apply(kept.view());
  }
}

void CarrierDelivery::restore_outstanding(std::string_view message_id, queue::Locator at,
                                          std::uint8_t part, std::uint8_t parts,
                                          std::uint32_t expires) {
  OutstandingSegment segment;
  segment.at = at;
  segment.expires_minute = outstanding_.minute_of(std::uint64_t{expires} + kReceiptMarginSeconds);
  segment.part = part;
  segment.parts = parts;
  if (parts > 1) {
    auto& states = multi_[at.bits()].states;
    if (states.empty()) states.resize(parts, State::none);
  }
  if (message_id.empty()) return;
  outstanding_.put(protocol::CanonicalId(message_id).text(), segment);
  await_receipt(segment, message_id, std::uint64_t{expires} + kReceiptMarginSeconds);
}

void CarrierDelivery::restore_part_outcome(queue::Locator at, std::uint8_t parts, std::uint8_t part,
                                           State state) {
  MultiPart& multi = multi_[at.bits()];
  if (multi.states.empty()) multi.states.resize(parts, State::none);
  if (part < 1 || part > multi.states.size() || multi.states[part - 1u] != State::none) return;
  multi.states[part - 1u] = state;
  ++multi.reported;
  if (badness(state) > badness(multi.worst)) {
    multi.worst = state;
    multi.worst_code = state == State::delivered ? "" : name_of(state);
  }
}

void CarrierDelivery::restore_unmatched(const protocol::Receipt& receipt) {
  restored_unmatched_.push_back(KeptReceipt::of(receipt));
  if (restored_unmatched_.size() > EarlyReceipts::kEntriesMax) restored_unmatched_.pop_front();
}

void CarrierDelivery::keep_outstanding_of(const std::vector<std::uint64_t>& messages) {
  outstanding_.keep_only(
      [&messages](queue::Locator at) { return std::ranges::binary_search(messages, at.bits()); });
  boost::unordered::erase_if(multi_, [&messages](const auto& entry) {
    return !std::ranges::binary_search(messages, entry.first);
  });
  for (const KeptReceipt& kept : restored_unmatched_) {
    if (!apply(kept.view())) hold(kept.view());
  }
  restored_unmatched_.clear();
}

void CarrierDelivery::on_deliver(SmscLink& link, std::uint32_t sequence_number,
                                 const protocol::DeliverSm& deliver) {
  if (!protocol::is_receipt(deliver.esm_class)) {
    replies_.take(deliver, std::chrono::steady_clock::now());
    return answer_when_durable(link, sequence_number);
  }
  const auto& pattern = config_.wire.receipt_pattern;
  const auto receipt =
      pattern ? protocol::parse_receipt(deliver, *pattern) : protocol::parse_receipt(deliver);
  if (!receipt) {
    // Refusing it would make some carriers send it for ever and hold back all others.
    if (++stats_.receipts_unparsed == 1) {
      spdlog::warn("carrier {}: a receipt names no message id in any known way", config_.name);
    }
    link.session().answer(sequence_number, protocol::CommandStatus::ok);
    return;
  }
  end_doubt_by_receipt(*receipt, deliver.source.digits);
  if (!apply(*receipt) && !is_repeated(*receipt)) keep_unmatched(*receipt);
  answer_when_durable(link, sequence_number);
}

void CarrierDelivery::answer_when_durable(SmscLink& link, std::uint32_t sequence_number) {
  lines_[link.number()]->delivers.push_back(
      {.batch = outcomes_.batch(), .sequence_number = sequence_number, .epoch = link.epoch()});
  schedule_pump();
}

bool CarrierDelivery::apply(const protocol::Receipt& receipt) {
  const protocol::Spellings spellings = spellings_of(receipt.message_id);
  for (std::uint8_t i = 0; i < spellings.count; ++i) {
    const std::string_view id = spellings.candidates[i].text();
    if (const OutstandingSegment* found = outstanding_.find(id)) {
      learn_from(spellings, i);
      apply_to({.segment = *found, .id = std::string(id)}, receipt);
      return true;
    }
  }
  return false;
}

void CarrierDelivery::apply_to(const ReceiptTarget& target, const protocol::Receipt& receipt) {
  const auto record = services_.reader.read(target.segment.at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  if (!accepted) {
    ++stats_.records_unreadable;
    outstanding_.erase(target.id);
    return;
  }
  const ReceiptVerdict verdict =
      receipt.is_intermediate ? ReceiptVerdict::intermediate : protocol::verdict_of(receipt.state);
  State state = state_of(verdict);
  switch (verdict) {
    case ReceiptVerdict::intermediate: ++stats_.receipts_intermediate; break;
    case ReceiptVerdict::delivered: ++stats_.receipts_delivered; break;
    case ReceiptVerdict::failed: ++stats_.receipts_failed; break;
    case ReceiptVerdict::expired: ++stats_.receipts_expired; break;
    case ReceiptVerdict::unknown: ++stats_.receipts_unknown; break;
  }
  Settled settled;
  ReceiptCame came;
  came.part = target.segment.part;
  came.message_state = static_cast<std::uint8_t>(receipt.state);
  came.is_final_for_part = verdict != ReceiptVerdict::intermediate;
  came.message_id = receipt.message_id;
  came.stat = receipt.stat;
  came.err = receipt.err;
  came.code = code_of(receipt.state);
  if (came.is_final_for_part) {
    outstanding_.erase(target.id);
    queries_.on_settled(target.segment.at, target.segment.part);
    if (target.segment.sent_ms != 0) {
      stats_.receipt_after.record(
          std::chrono::milliseconds(steady_ms_now() - target.segment.sent_ms));
    }
    settled_segments_.put(target.id, {target.segment.at, target.segment.part, state});
    if (target.segment.parts > 1) {
      settled = settle_part(target.segment, state, came.code, words_of(receipt));
      state = settled.state;
      if (settled.code != came.code) {
        came.message_code = settled.code;
        came.message_detail = settled.detail;
      }
    }
  }
  const SubjectHere here(accepted->subject, config_.name, target.segment.parts);
  came.of = {.accepted = target.segment.at,
             .subject = here.octets(),
             .time_ms = wall_clock_ms(),
             .state = state,
             .possible_duplicate = false,
             .flow = flow_of(*accepted),
             .was_sent = true};
  outcomes_.write(came);
  count_verdict(state);
}

void CarrierDelivery::count_verdict(State state) {
  if (state == State::delivered) ++stats_.messages_delivered;
  if (state == State::failed) ++stats_.messages_failed;
  if (state == State::expired) ++stats_.messages_expired;
  if (state == State::unknown) ++stats_.messages_unknown;
}

// Notes one part's outcome; the message's verdict when it was the last one missing.
CarrierDelivery::Settled CarrierDelivery::settle_part(const OutstandingSegment& segment,
                                                      State part_state, std::string_view code,
                                                      std::string_view detail) {
  const auto found = multi_.find(segment.at.bits());
  if (found == multi_.end()) return {};  // the message is final already
  MultiPart& multi = found->second;
  State& state = multi.states[segment.part - 1u];
  if (state == State::none) ++multi.reported;
  state = part_state;
  if (badness(part_state) > badness(multi.worst)) {
    multi.worst = part_state;
    multi.worst_code = code;
    multi.worst_detail = detail;
  }
  if (multi.reported < multi.states.size()) return {};
  Settled settled{multi.worst, multi.worst_code, std::move(multi.worst_detail)};
  multi_.erase(found);
  return settled;
}

// True when the receipt speaks of a segment that has had its final one. A second copy is answered
// and forgotten; another verdict is told as a conflict and changes nothing.
bool CarrierDelivery::is_repeated(const protocol::Receipt& receipt) {
  const protocol::Spellings spellings = spellings_of(receipt.message_id);
  for (std::uint8_t i = 0; i < spellings.count; ++i) {
    const auto settled = settled_segments_.find(spellings.candidates[i].text());
    if (!settled) continue;
    const State state =
        receipt.is_intermediate ? State::none : state_of(protocol::verdict_of(receipt.state));
    if (state == State::none || state == settled->state) {
      ++stats_.receipts_duplicate;
      return true;
    }
    ++stats_.receipts_conflicting;
    const auto record = services_.reader.read(settled->at);
    const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
    if (!accepted) {
      ++stats_.records_unreadable;
      return true;
    }
    const std::string words = words_of(receipt);
    Verdict conflict;
    conflict.of = {.accepted = settled->at,
                   .subject = accepted->subject,
                   .time_ms = wall_clock_ms(),
                   .state = State::none,
                   .possible_duplicate = false};
    conflict.code = code_of(receipt.state);
    if (conflict.code.empty()) conflict.code = name_of(state);
    conflict.detail = words;
    outcomes_.write_conflict(conflict);
    return true;
  }
  return false;
}

// It may have come before its submit_sm_resp: kept, on disk and at hand, and tried again then.
void CarrierDelivery::keep_unmatched(const protocol::Receipt& receipt) {
  ++stats_.receipts_unmatched;
  Orphan orphan;
  orphan.carrier = config_.name;
  orphan.time_ms = wall_clock_ms();
  orphan.message_state = static_cast<std::uint8_t>(receipt.state);
  orphan.is_intermediate = receipt.is_intermediate;
  orphan.message_id = receipt.message_id;
  orphan.stat = receipt.stat;
  orphan.err = receipt.err;
  outcomes_.write(orphan);
  hold(receipt);
}

void CarrierDelivery::hold(const protocol::Receipt& receipt) {
  const protocol::Spellings spellings = spellings_of(receipt.message_id);
  std::vector<std::string> ids;
  ids.reserve(spellings.count);
  for (std::uint8_t i = 0; i < spellings.count; ++i) {
    ids.emplace_back(spellings.candidates[i].text());
  }
  (void)early_.put(receipt, ids, std::chrono::steady_clock::now());  // counted just above
}

// No receipt came in the message's time and the margin behind it.
void CarrierDelivery::on_silence(const OutstandingSegment& segment) {
  State state = State::unknown;
  if (segment.parts > 1) {
    const auto found = multi_.find(segment.at.bits());
    if (found == multi_.end()) return;  // the message is final already
    // The first part to fall silent speaks for all that are still missing.
    if (badness(found->second.worst) > badness(state)) state = found->second.worst;
    multi_.erase(found);
  }
  const auto record = services_.reader.read(segment.at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  if (!accepted) {
    ++stats_.records_unreadable;
    return;
  }
  if (state == State::unknown && accepted->receipt == ReceiptWish::failure) {
    state = State::sent_final;
  }
  Verdict verdict;
  verdict.of = {.accepted = segment.at,
                .subject = accepted->subject,
                .time_ms = wall_clock_ms(),
                .state = state,
                .possible_duplicate = false,
                .flow = flow_of(*accepted),
                .was_sent = true};
  verdict.code = "no_receipt";
  verdict.detail = "no receipt came before the message expired";
  outcomes_.write(verdict);
  count_verdict(state);
}

}  // namespace stentor::daemon
