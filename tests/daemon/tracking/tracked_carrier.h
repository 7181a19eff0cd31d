// A tracker with a clock of the test's, whose records are kept as plain values and can be replayed
// into a second one, as a restart does.
//
// Threads  The test's.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/delivery/submit_composer.h"
#include "daemon/tracking/tracker.h"

namespace stentor::daemon {

/// What a record said, with texts of its own.
struct Written {
  enum class Kind { taken, receipt, again, verdict, orphan, conflict, taken_twice };
  Kind kind = Kind::receipt;
  std::uint64_t message = 0;  ///< locator bits
  State state = State::none;
  queue::Flow flow = 0;
  State corrects = State::none;
  std::uint8_t part = 0;
  std::uint8_t parts = 1;
  std::uint8_t message_state = 0;
  bool is_final = false;
  bool is_unread_conflict = false;
  bool has_unknown_part = false;
  std::uint32_t expires = 0;
  std::uint64_t time_ms = 0;
  std::uint64_t came_ms = 0;  ///< of receipts
  std::string message_id;
  std::string other_message_id;
  std::string done_date;
  std::string code;
  std::string message_code;
  std::string detail;
  std::string stat;
  std::string err;
  bool by_reference = false;
  bool possible_duplicate = false;
  std::uint32_t response_ms = 0;
  std::optional<std::uint16_t> reference;
  std::string source;
  std::string destination;
};

class TrackedCarrier final : public TrackingOutcomes, public AcceptedRecords {
 public:
  explicit TrackedCarrier(protocol::MessageIdRule rule = protocol::MessageIdRule::automatic,
                          OutcomeCodes codes = {})
      : rule_(rule), codes_(std::move(codes)) {
    start();
  }

  /// Time of both kinds.
  void pass(std::chrono::seconds time) {
    now_.steady += time;
    now_.wall_ms += static_cast<std::uint64_t>(time.count()) * 1000;
  }
  /// Of the wall alone.
  void set_clock_back(std::chrono::seconds by) {
    now_.wall_ms -= static_cast<std::uint64_t>(by.count()) * 1000;
  }
  /// Looks at the whole index once.
  void sweep() {
    for (int i = 0; i < 65; ++i) tracker_->on_second(now_);
    while (tracker_->is_behind()) tracker_->speak_on(now_);
  }
  /// Retention takes its record.
  void retire(queue::Locator at) { gone_.insert(at.bits()); }
  /// What was written is durable: it is known where messages were told `unknown`.
  void commit() {
    for (std::size_t i = 0; i < written.size(); ++i) {
      if (written[i].state != State::unknown && !written[i].has_unknown_part) continue;
      tracker_->on_told(queue::Locator(written[i].message), {.at = place_of(i), .flow = 7});
    }
  }
  /// Retention takes all that was written so far, too.
  void retire_written() { first_kept_ = written.size(); }
  /// So many of these cannot be read although they are there.
  void damage_written(int reads) { bad_reads_ = reads; }
  /// Its record is there, and cannot be read.
  void damage(queue::Locator at) { damaged_.insert(at.bits()); }
  void mend(queue::Locator at) { damaged_.erase(at.bits()); }
  /// Its id is the sequence that user_message_reference is made of; 0: the next one.
  queue::Locator accept(ReceiptWish wish = ReceiptWish::all, std::string to = "+79160000001",
                        std::uint64_t sequence = 0) {
    const queue::Locator at(1, 64, next_++);
    Sent& sent = sent_[at.bits()];
    sent.wish = wish;
    sent.to = std::move(to);
    sent.id = MessageId::make(now_.wall_ms, 0, 0, sequence == 0 ? next_ : sequence);
    FieldWriter fields;
    encode(sent.subject(), fields);
    sent.octets.assign(fields.octets().begin(), fields.octets().end());
    return at;
  }
  /// Its submit_sm goes now; without this it is answered in the moment that it goes.
  void submit(queue::Locator at, std::uint8_t part = 1) {
    submitted_ms_[{at.bits(), part}] = now_.wall_ms;
  }
  void take(queue::Locator at, std::string_view id, std::uint8_t part = 1, std::uint8_t parts = 1,
            std::uint32_t lives_s = 3600) {
    const auto submitted = submitted_ms_.find({at.bits(), part});
    const auto response_ms = submitted == submitted_ms_.end()
                                 ? 0u
                                 : static_cast<std::uint32_t>(now_.wall_ms - submitted->second);
    const auto expires = static_cast<std::uint32_t>(now_.wall_ms / 1000) + lives_s;
    Written taken;
    taken.kind = Written::Kind::taken;
    taken.message = at.bits();
    taken.message_id = id;
    taken.part = part;
    taken.parts = parts;
    taken.expires = expires;
    taken.time_ms = now_.wall_ms;
    taken.possible_duplicate = after_doubt;
    taken.response_ms = response_ms;
    sent_[at.bits()].parts = parts;
    sent_[at.bits()].expires = expires;
    written.push_back(taken);  // the daemon writes the part's record first, too
    const Subject subject = sent_[at.bits()].subject();
    tracker_->on_taken({.message_id = id,
                        .of = {.accepted = at,
                               .subject = {},
                               .time_ms = now_.wall_ms,
                               .possible_duplicate = after_doubt},
                        .expires = expires,
                        .part = part,
                        .parts = parts,
                        .response_ms = response_ms,
                        .subject = &subject},
                       now_);
  }
  /// What this part's submit_sm carried.
  [[nodiscard]] std::uint16_t reference_of(queue::Locator at, std::uint8_t part = 1) {
    return user_message_reference_of(sent_[at.bits()].id, static_cast<std::uint16_t>(part - 1));
  }
  /// A receipt with a reference, as a carrier that gives it back writes it.
  void receive_named(std::string_view id, std::uint16_t reference, protocol::MessageState state,
                     std::string_view source = "79160000001",
                     std::string_view destination = "SHOP") {
    protocol::Receipt receipt;
    receipt.message_id = id;
    receipt.state = state;
    receipt.stat = protocol::name_of(state);
    receipt.user_message_reference = reference;
    receipt.source = source;
    receipt.destination = destination;
    receive(receipt);
  }
  bool call_back(queue::Locator at, std::string_view id) {
    return tracker_->on_cancelled(id, at, now_);
  }
  void receive(const protocol::Receipt& receipt) { tracker_->on_receipt(receipt, now_); }
  void receive(std::string_view id, protocol::MessageState state, bool is_intermediate = false) {
    protocol::Receipt receipt;
    receipt.message_id = id;
    receipt.state = state;
    receipt.stat = protocol::name_of(state);
    receipt.is_intermediate = is_intermediate;
    receive(receipt);
  }
  /// Another rule, as of the next restart.
  void configure(protocol::MessageIdRule rule) { rule_ = rule; }
  /// Forgets all but what was written, and reads that again.
  void restart() {
    start();
    std::set<std::uint64_t> live;
    std::set<std::uint64_t> unknown;
    for (const Written& one : written) {
      switch (one.kind) {
        case Written::Kind::taken:
          live.insert(one.message);
          restore_taken(one);
          break;
        case Written::Kind::receipt: {
          ReceiptCame came;
          came.of.accepted = queue::Locator(one.message);
          came.of.subject = sent_[one.message].octets;
          came.by_reference = one.by_reference;
          came.of.time_ms = one.time_ms;
          came.of.possible_duplicate = one.possible_duplicate;
          came.part = one.part;
          came.message_state = one.message_state;
          came.is_final_for_part = one.is_final;
          came.message_id = one.message_id;
          came.code = one.code;
          came.stat = one.stat;
          came.err = one.err;
          tracker_->restore_receipt(came, sent_[one.message].parts);
          break;
        }
        case Written::Kind::orphan: {
          protocol::Receipt receipt;
          receipt.message_id = one.message_id;
          receipt.state = static_cast<protocol::MessageState>(one.message_state);
          receipt.is_intermediate = !one.is_final;
          receipt.stat = one.stat;
          receipt.user_message_reference = one.reference;
          receipt.source = one.source;
          receipt.destination = one.destination;
          tracker_->restore_unmatched(receipt, one.time_ms, one.is_unread_conflict);
          break;
        }
        case Written::Kind::taken_twice: {
          TakenTwice twice;
          twice.of.accepted = queue::Locator(one.message);
          twice.part = one.part;
          tracker_->restore_taken_twice(twice);
          break;
        }
        case Written::Kind::again:
        case Written::Kind::verdict:
        case Written::Kind::conflict: break;
      }
      if (is_final(one.state)) live.erase(one.message);
      if (one.state == State::unknown) unknown.insert(one.message);
      if (one.corrects == State::unknown) unknown.erase(one.message);
    }
    commit();
    tracker_->finish_restoring({live.begin(), live.end()}, {unknown.begin(), unknown.end()}, now_);
  }

  void write(const ReceiptCame& came) override { write(came, Written::Kind::receipt); }
  void write_again(const ReceiptCame& came) override { write(came, Written::Kind::again); }
  void write(const ReceiptCame& came, Written::Kind kind) {
    Written one = of(came.of, kind);
    one.corrects = came.corrects;
    one.part = came.part;
    one.message_state = came.message_state;
    one.is_final = came.is_final_for_part;
    one.came_ms = came.came_at_ms();
    one.message_id = came.message_id;
    one.code = came.code;
    one.message_code = came.message_code;
    one.detail = came.message_detail;
    one.stat = came.stat;
    one.err = came.err;
    one.done_date = came.done_date;
    one.by_reference = came.by_reference;
    written.push_back(one);
  }
  void write(const Verdict& verdict) override {
    Written one = of(verdict.of, Written::Kind::verdict);
    one.code = verdict.code;
    one.detail = verdict.detail;
    written.push_back(one);
  }
  void write(const Conflict& conflict) override {
    Written one = of(conflict.of, Written::Kind::conflict);
    one.code = conflict.code;
    one.detail = conflict.detail;
    one.part = conflict.part;
    one.message_id = conflict.message_id;
    one.done_date = conflict.done_date;
    one.by_reference = conflict.by_reference;
    written.push_back(one);
  }
  void write(const Orphan& orphan) override {
    Written one;
    one.kind = Written::Kind::orphan;
    one.message_id = orphan.message_id;
    one.message_state = orphan.message_state;
    one.is_final = !orphan.is_intermediate;
    one.is_unread_conflict = orphan.is_unread_conflict;
    one.stat = orphan.stat;
    one.time_ms = orphan.time_ms;
    one.reference = orphan.user_message_reference;
    one.source = orphan.source;
    one.destination = orphan.destination;
    written.push_back(one);
  }
  void write(const TakenTwice& twice) override {
    Written one = of(twice.of, Written::Kind::taken_twice);
    one.part = twice.part;
    one.message_id = twice.message_id;
    one.other_message_id = twice.other_message_id;
    written.push_back(one);
  }
  std::optional<Accepted> read(queue::Locator at) override {
    if (gone_.contains(at.bits()) || damaged_.contains(at.bits())) return std::nullopt;
    const auto sent = sent_.find(at.bits());
    if (sent == sent_.end()) return std::nullopt;
    Accepted accepted;
    accepted.subject = sent->second.octets;
    accepted.receipt = sent->second.wish;
    accepted.expires = sent->second.expires;
    return accepted;
  }

  std::optional<std::span<const std::uint8_t>> read_subject(queue::Locator at) override {
    if (bad_reads_ > 0) {
      --bad_reads_;
      return std::nullopt;
    }
    for (std::size_t i = first_kept_; i < written.size(); ++i) {
      if (place_of(i) == at) return sent_.at(written[i].message).octets;
    }
    return std::nullopt;
  }
  bool is_gone(queue::Locator at) override {
    return gone_.contains(at.bits()) || (at.file() == kWrittenFile && at.record() < first_kept_);
  }

  [[nodiscard]] Tracker& tracker() { return *tracker_; }
  [[nodiscard]] Moment now() const { return now_; }
  [[nodiscard]] std::size_t count(Written::Kind kind) const {
    std::size_t found = 0;
    for (const Written& one : written) found += one.kind == kind ? 1 : 0;
    return found;
  }
  /// The states told of a message, in order: what its events say.
  [[nodiscard]] std::vector<State> told_of(queue::Locator at) const {
    std::vector<State> told;
    for (const Written& one : written) {
      if (one.message == at.bits() && one.state != State::none) told.push_back(one.state);
    }
    return told;
  }

  [[nodiscard]] std::size_t conflicts_of(queue::Locator at) const {
    std::size_t found = 0;
    for (const Written& one : written) {
      found += one.message == at.bits() && one.kind == Written::Kind::conflict ? 1 : 0;
    }
    return found;
  }

  std::vector<Written> written;
  TrackingStats stats;
  std::size_t silent_at_once = 1024;  ///< from the next restart on
  bool after_doubt = false;           ///< what is taken was written before, and its answer lost

 private:
  struct Sent {
    ReceiptWish wish = ReceiptWish::all;
    std::uint8_t parts = 1;
    std::uint32_t expires = 0;
    MessageId id;
    std::string to;
    std::vector<std::uint8_t> octets;  // of its subject

    [[nodiscard]] Subject subject() const {
      Subject subject;
      subject.id = id;
      subject.to = to;
      subject.from = "SHOP";
      return subject;
    }
  };

  void start() {
    tracker_ = std::make_unique<Tracker>(TrackerSetup{.carrier = "north",
                                                      .rule = rule_,
                                                      .codes = codes_,
                                                      .secret = {},
                                                      .by_reference = true,
                                                      .silent_at_once = silent_at_once},
                                         *this, *this, stats, now_);
  }
  void restore_taken(const Written& one) {
    const Subject subject = sent_[one.message].subject();
    tracker_->restore_taken({.message_id = one.message_id,
                             .of = {.accepted = queue::Locator(one.message),
                                    .subject = {},
                                    .time_ms = one.time_ms,
                                    .possible_duplicate = one.possible_duplicate},
                             .expires = one.expires,
                             .part = one.part,
                             .parts = one.parts,
                             .response_ms = one.response_ms,
                             .subject = &subject});
  }
  Written of(const Following& following, Written::Kind kind) const {
    Written one;
    one.kind = kind;
    one.message = following.accepted.bits();
    one.state = following.state;
    one.flow = following.flow;
    one.has_unknown_part = following.has_unknown_part;
    one.time_ms = following.time_ms;
    one.possible_duplicate = following.possible_duplicate;
    return one;
  }

  static queue::Locator place_of(std::size_t record) {
    return {kWrittenFile, 64, static_cast<std::uint32_t>(record)};
  }
  static constexpr std::uint32_t kWrittenFile = 9;

  protocol::MessageIdRule rule_;
  OutcomeCodes codes_;
  Moment now_{.steady = std::chrono::steady_clock::time_point(std::chrono::hours(1)),
              .wall_ms = 1'790'000'000'000};
  std::uint32_t next_ = 0;
  std::map<std::uint64_t, Sent> sent_;
  std::set<std::uint64_t> gone_;
  std::size_t first_kept_ = 0;
  int bad_reads_ = 0;
  std::set<std::uint64_t> damaged_;
  std::map<std::pair<std::uint64_t, std::uint8_t>, std::uint64_t> submitted_ms_;
  std::unique_ptr<Tracker> tracker_;
};

}  // namespace stentor::daemon
