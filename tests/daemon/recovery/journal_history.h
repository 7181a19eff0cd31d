// Writes random lives of messages into a journal on a simulated disk, and remembers what became
// durable: what the daemon's producers would have written, without the daemon.
//
// Owns     The writer and the model of what is acknowledged. The disk is the caller's.
// Threads  One.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/records/carried_records.h"
#include "daemon/records/carrier_cancel_records.h"
#include "daemon/records/pause_records.h"
#include "daemon/records/records.h"
#include "queue/journal_recovery.h"
#include "queue/journal_writer.h"
#include "tests/daemon/test_times.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::daemon {

inline const std::filesystem::path kJournalFolder = "/journal";

class JournalHistory {
 public:
  static constexpr std::uint64_t kNow = test::kNowMs;

  JournalHistory(queue::test::SimFileSystem& files, std::filesystem::path journal,
                 std::uint64_t seed)
      : files_(files), journal_(std::move(journal)), random_(seed) {}

  /// What the journal holds for certain, and what it may hold: the batch whose fate is unknown.
  struct Model {
    Ledger ledger;
    std::map<std::uint64_t, bool> live;  ///< by sequence: whether the carrier has it (`sent`)
    std::map<std::string, std::uint64_t> refs;
  };
  [[nodiscard]] const Model& certain() const { return certain_; }
  [[nodiscard]] const Model& possible() const { return possible_; }
  /// What is true by the ledger that a start found.
  [[nodiscard]] const Model& fate(const Ledger& found) const {
    const bool is_certain = found.accepted == certain_.ledger.accepted &&
                            found.finals() == certain_.ledger.finals() &&
                            found.sent == certain_.ledger.sent;
    return is_certain ? certain_ : possible_;
  }
  /// A start found the fate of the last batch.
  void settle(const Model& truth) { certain_ = possible_ = truth; }

  /// Goes on behind `end`; a crash may come at any operation.
  bool start(queue::JournalEnd end) {
    known_.clear();
    auto writer = queue::JournalWriter::start(files_,
                                              {.directory = journal_,
                                               .file_octets = 1u << 13,
                                               .prepares_in_background = false,
                                               .make_epoch = [this] { return random_.next(); }},
                                              end, [this] { return preamble(); });
    if (!writer) return false;
    writer_ = std::move(*writer);
    return true;
  }
  void stop() { writer_.reset(); }
  /// Says which carried excerpt counts, as the commit thread does; false when it did not become
  /// durable. Before start(): what each file begins with.
  bool tell_carried(const CarriedNow& carried) {
    queue::RecordBatch batch;
    add(batch, carried);
    queue::RecordBatch* const batches[] = {&batch};
    if (!writer_->commit(batches)) return false;
    carried_ = carried;
    return true;
  }
  void begin_files_with(const CarriedNow& carried) { carried_ = carried; }
  [[nodiscard]] queue::JournalWriter& writer() { return *writer_; }
  /// The message's accepted record, as recovery found it.
  void know(std::uint64_t sequence, queue::Locator at, std::vector<std::uint8_t> subject,
            std::uint8_t parts) {
    known_[sequence] = {at, std::move(subject), parts};
  }

  /// Commits one batch of random records; false when it did not become durable.
  bool commit() {
    queue::RecordBatch batch;
    possible_ = certain_;
    std::map<std::uint64_t, Known> fresh;
    std::map<std::uint64_t, std::uint32_t> offsets;
    for (std::uint64_t i = 1 + random_.below(12); i > 0; --i) write_one(batch, fresh, offsets);
    if (batch.is_empty()) return true;
    queue::RecordBatch* const batches[] = {&batch};
    if (!writer_->commit(batches)) return false;
    for (auto& [sequence, known] : fresh) {
      known.at = batch.at(offsets[sequence]);
      known_[sequence] = std::move(known);
    }
    certain_ = possible_;
    return true;
  }

  struct Known {
    queue::Locator at;
    std::vector<std::uint8_t> subject;
    std::uint8_t parts = 1;
  };
  [[nodiscard]] const std::map<std::uint64_t, Known>& known() const { return known_; }

 private:
  queue::JournalWriter::Preamble preamble() {
    queue::JournalWriter::Preamble preamble;
    preamble.first_word = certain_.ledger.sequence_next;
    add(preamble.records, RecordKind::totals, certain_.ledger);
    if (carried_.before != 0) add(preamble.records, carried_);
    return preamble;
  }

  template <class Body>
  std::uint32_t add(queue::RecordBatch& batch, RecordKind kind, const Body& body) {
    fields_.clear();
    encode(body, fields_);
    return batch.add(static_cast<std::uint8_t>(kind), fields_.octets());
  }

  void add(queue::RecordBatch& batch, const CarriedNow& carried) {
    fields_.clear();
    encode(carried, fields_);
    batch.add(kCarriedRecord, fields_.octets());
  }

  void accept(queue::RecordBatch& batch, std::map<std::uint64_t, Known>& fresh,
              std::map<std::uint64_t, std::uint32_t>& offsets) {
    Ledger& ledger = possible_.ledger;
    const std::uint64_t sequence = ledger.sequence_next++;
    const std::string ref = random_.one_in(2) ? "r-" + std::to_string(sequence) : "";
    const std::string to = "+79" + std::to_string(100'000'000 + random_.below(50));
    Subject subject;
    subject.id = MessageId::make(kNow + sequence, 1, 0, sequence);
    subject.parts = static_cast<std::uint8_t>(random_.one_in(4) ? 2 + random_.below(3) : 1);
    subject.client = "crm";
    subject.ref = ref;
    subject.to = to;
    subject.from = "SHOP";
    subject.carrier = "north";
    FieldWriter octets;
    encode(subject, octets);
    const std::string text(random_.below(120), 'x');
    Accepted accepted;
    accepted.subject = octets.octets();
    accepted.expires = 0xfffffffe;
    accepted.owns_ref = !ref.empty();
    accepted.priority = static_cast<std::uint8_t>(random_.below(3));
    accepted.text = text;
    offsets[sequence] = add(batch, RecordKind::accepted, accepted);
    fresh[sequence] = {{}, {octets.octets().begin(), octets.octets().end()}, subject.parts};
    ++ledger.accepted;
    possible_.live[sequence] = false;
    if (!ref.empty()) possible_.refs[ref] = sequence;
  }

  void write_one(queue::RecordBatch& batch, std::map<std::uint64_t, Known>& fresh,
                 std::map<std::uint64_t, std::uint32_t>& offsets) {
    const auto what = random_.below(10);
    if (what < 4) return accept(batch, fresh, offsets);
    if (what == 4) return write_odd(batch);
    // Of a message that is durable; old ones are left alone now and then, so that files differ.
    if (known_.empty()) return;
    auto chosen = known_.lower_bound(random_.below(certain_.ledger.sequence_next));
    if (chosen == known_.end()) chosen = known_.begin();
    const auto& [sequence, known] = *chosen;
    const auto live = possible_.live.find(sequence);
    if (live == possible_.live.end()) return;
    Following of{.accepted = known.at,
                 .subject = known.subject,
                 .time_ms = kNow + sequence + 10,
                 .state = State::none};
    const auto part = static_cast<std::uint8_t>(1 + random_.below(known.parts));
    if (what == 5) {
      Intent intent;
      intent.carrier = "north";
      for (auto next = chosen; next != known_.end() && intent.sequences.size() < 5; ++next) {
        intent.sequences.push_back(next->first);
      }
      add(batch, RecordKind::intent, intent);
      if (!random_.one_in(3)) return;
      Released released;
      released.sequences = {intent.sequences.front()};
      add(batch, RecordKind::released, released);
    } else if (what == 6) {
      PartAnswered answered;
      const std::string id = std::to_string(sequence) + "." + std::to_string(part);
      of.state = live->second ? State::none : known.parts == 1 ? State::sent : State::none;
      answered.part = part;
      answered.attempt = 1;
      if (random_.one_in(4)) {
        of.state = State::none;
        answered.command_status = 0x08;
        answered.retry_at_ms = kNow + 60'000;
      } else if (known.parts == 1 && random_.one_in(4)) {
        of.state = State::sent_final;
      }
      answered.of = of;
      answered.message_id = id;
      add(batch, RecordKind::part, answered);
      if (of.state == State::sent_final) ++possible_.ledger.sent;
    } else if (what == 7) {
      ReceiptCame receipt;
      of.state = known.parts == 1 || random_.one_in(3) ? State::delivered : State::none;
      receipt.of = of;
      receipt.part = part;
      receipt.message_state = 2;
      add(batch, RecordKind::receipt, receipt);
    } else if (what == 8 && random_.one_in(2)) {
      Paused paused;
      paused.of = of;
      paused.is_paused = !random_.one_in(3);
      paused.by = "crm";
      fields_.clear();
      encode(paused, fields_);
      batch.add(kPausedRecord, fields_.octets());
    } else if (what == 8) {
      Uncertain uncertain;
      uncertain.of = of;
      uncertain.reason = "link_lost";
      add(batch, RecordKind::uncertain, uncertain);
    } else {
      Verdict verdict;
      of.state = random_.one_in(2) ? State::expired : State::failed;
      verdict.of = of;
      add(batch, RecordKind::verdict, verdict);
    }
    possible_.ledger.count(of.state);
    if (of.state == State::sent) live->second = true;
    if (is_final(of.state)) possible_.live.erase(live);
  }

  // What is about no message.
  void write_odd(queue::RecordBatch& batch) {
    const std::string name = "c" + std::to_string(random_.below(3));
    if (random_.one_in(6)) {
      fields_.clear();
      encode(CarrierCancelled{.carrier = "north", .time_ms = kNow, .client = "ops"}, fields_);
      batch.add(kCarrierCancelledRecord, fields_.octets());
    } else if (random_.one_in(2)) {
      ConsumerAt consumer;
      consumer.client = "crm";
      consumer.name = name;
      consumer.position =
          queue::Locator(1, 64, static_cast<std::uint32_t>(random_.below(99))).bits();
      consumer.sub = 1;
      add(batch, RecordKind::consumer, consumer);
    } else if (random_.one_in(2)) {
      Orphan orphan;
      orphan.carrier = "north";
      orphan.time_ms = kNow - random_.below(2) * 90'000'000;
      orphan.message_id = name;
      add(batch, RecordKind::orphan, orphan);
    } else {
      const std::array<std::uint8_t, 3> octets = {1, 2, 3};
      batch.add(251, octets);
    }
  }

  queue::test::SimFileSystem& files_;
  const std::filesystem::path journal_;
  queue::test::RandomNumbers random_;
  std::unique_ptr<queue::JournalWriter> writer_;
  CarriedNow carried_;
  Model certain_;
  Model possible_;
  std::map<std::uint64_t, Known> known_;
  FieldWriter fields_;
};

}  // namespace stentor::daemon
