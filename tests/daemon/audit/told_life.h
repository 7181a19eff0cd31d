// Messages' lives as records, told line by line: what the daemon's producers would have written,
// for tests of who judges it.
//
// Threads  One.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/records/doubt_records.h"
#include "daemon/records/records.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

class ToldLife {
 public:
  /// `tell` is given each record and answers where it lies.
  using Tell =
      std::function<queue::Locator(RecordKind kind, std::span<const std::uint8_t> payload)>;
  explicit ToldLife(Tell tell) : tell_(std::move(tell)) {}

  template <class Body>
  queue::Locator tell(RecordKind kind, const Body& body) {
    FieldWriter fields;
    encode(body, fields);
    return tell_(kind, fields.octets());
  }

  void accept(std::uint64_t sequence, std::uint8_t parts = 1) {
    const FieldWriter subject = subject_of(sequence, parts);
    Accepted accepted;
    accepted.subject = subject.octets();
    accepted.text = "text";
    parts_[sequence] = parts;
    at_[sequence] = tell(RecordKind::accepted, accepted);
  }
  void intend(std::vector<std::uint64_t> sequences) {
    Intent intent;
    intent.carrier = "north";
    intent.sequences = std::move(sequences);
    tell(RecordKind::intent, intent);
  }
  void release(std::vector<std::uint64_t> sequences) {
    Released released;
    released.sequences = std::move(sequences);
    tell(RecordKind::released, released);
  }
  void answer(std::uint64_t sequence, State state, std::uint8_t part = 1,
              std::uint32_t command_status = 0, std::string_view message_id = "id") {
    const FieldWriter subject = subject_of(sequence, parts_[sequence]);
    PartAnswered answered;
    answered.of = following(sequence, subject, state);
    answered.part = part;
    answered.command_status = command_status;
    answered.message_id = message_id;
    tell(RecordKind::part, answered);
  }
  void report(std::uint64_t sequence, State state, std::uint8_t part = 1,
              State corrects = State::none) {
    const FieldWriter subject = subject_of(sequence, parts_[sequence]);
    ReceiptCame receipt;
    receipt.of = following(sequence, subject, state);
    receipt.part = part;
    receipt.corrects = corrects;
    tell(RecordKind::receipt, receipt);
  }
  void end(std::uint64_t sequence, State state) {
    const FieldWriter subject = subject_of(sequence, parts_[sequence]);
    Verdict verdict;
    verdict.of = following(sequence, subject, state);
    tell(RecordKind::verdict, verdict);
  }
  void doubt(std::uint64_t sequence, UncertainPolicy policy, std::vector<bool> parts = {}) {
    const FieldWriter subject = subject_of(sequence, parts_[sequence]);
    Uncertain uncertain;
    uncertain.of = following(sequence, subject, State::none);
    uncertain.policy = policy;
    uncertain.parts = std::move(parts);
    tell(RecordKind::uncertain, uncertain);
  }
  void resolve(std::uint64_t sequence, DoubtEnd how, State state) {
    const FieldWriter subject = subject_of(sequence, parts_[sequence]);
    Resolved resolved;
    resolved.of = following(sequence, subject, state);
    resolved.end = how;
    tell(RecordKind::resolved, resolved);
  }
  void move(std::uint64_t sequence, std::uint8_t parts) {
    parts_[sequence] = parts;
    const FieldWriter subject = subject_of(sequence, parts);
    Moved moved;
    moved.of = following(sequence, subject, State::none);
    tell(RecordKind::moved, moved);
  }
  /// A life without trouble: intent, answer, receipt.
  void deliver(std::uint64_t sequence) {
    intend({sequence});
    answer(sequence, State::sent);
    report(sequence, State::delivered);
  }

  /// The message's accepted record is said to lie there.
  void misplace(std::uint64_t sequence, queue::Locator at) { at_[sequence] = at; }

  [[nodiscard]] static FieldWriter subject_of(std::uint64_t sequence, std::uint8_t parts) {
    const std::string ref = "r-" + std::to_string(sequence);
    Subject subject;
    subject.id = MessageId::make(1'790'000'000'000 + sequence, 1, 7, sequence);
    subject.parts = parts;
    subject.client = "crm";
    subject.ref = ref;
    subject.to = "+79161234567";
    subject.from = "SHOP";
    subject.carrier = "north";
    FieldWriter octets;
    encode(subject, octets);
    return octets;
  }

 private:
  [[nodiscard]] Following following(std::uint64_t sequence, const FieldWriter& subject,
                                    State state) {
    return {.accepted = at_[sequence],
            .subject = subject.octets(),
            .time_ms = 1'790'000'000'000,
            .state = state};
  }

  Tell tell_;
  std::map<std::uint64_t, queue::Locator> at_;
  std::map<std::uint64_t, std::uint8_t> parts_;
};

}  // namespace stentor::daemon
