// Follows the segments that one carrier account has taken until their receipts come, or do not.
//
// A receipt is matched by each spelling of its id over all binds of the account; one that comes
// before its submit_sm_resp is held; a second copy changes nothing, and the first few are written
// for the message's history; another final after a final is a conflict. What became of a message is
// written through TrackingOutcomes, once, and a message that was told `unknown` may be corrected by
// a late receipt, once. One of a part that was silent until its message was over otherwise is told
// too: as a receipt, or as a conflict where the message would have ended worse. Where a carrier
// gives an id again while a segment awaits its receipt under it, receipts of that id speak of the
// later segment; the earlier one waits on for a receipt with its reference, or until silence speaks
// for it. A receipt that was kept speaks of no segment that was sent after it came. Where a segment
// was in doubt and sent again, two receipts of it under two ids prove that the carrier took it
// twice.
//
// Units    Milliseconds of Unix time for what upstream sees, steady_clock for what waits.
// Owns     The index of outstanding segments, what is known of parts, receipts without a segment.
// Errors   Where an accepted record cannot be read its receipt is kept as an orphan, counted, and
//          matched when the record can be read again; so long silence says nothing either. One
//          whose file is gone, and of which no later record tells enough, makes its receipt an
//          orphan for good.
// Threads  One thread.
// Spec     docs/carriers.md, "Receipts" and "Message ids"; SMPP 3.4 appendix B
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/records/conflict_record.h"
#include "daemon/records/records.h"
#include "daemon/records/taken_twice_record.h"
#include "daemon/tracking/early_receipts.h"
#include "daemon/tracking/further_copies.h"
#include "daemon/tracking/message_parts.h"
#include "daemon/tracking/orphan_report.h"
#include "daemon/tracking/outcome_codes.h"
#include "daemon/tracking/outstanding.h"
#include "daemon/tracking/segment_names.h"
#include "daemon/tracking/settled_segments.h"
#include "daemon/tracking/taken_twice.h"
#include "daemon/tracking/told_places.h"
#include "daemon/tracking/tracking_stats.h"
#include "daemon/tracking/unread_receipts.h"
#include "protocol/message_id.h"
#include "protocol/message_id_learner.h"
#include "protocol/receipt.h"

namespace stentor::daemon {

/// Where what became of messages is written, and made durable.
class TrackingOutcomes {
 public:
  virtual ~TrackingOutcomes() = default;
  virtual void write(const ReceiptCame& receipt) = 0;
  /// It changes nothing, and nobody is told: histories alone have it.
  virtual void write_again(const ReceiptCame& receipt) = 0;
  virtual void write(const Verdict& verdict) = 0;
  virtual void write(const Orphan& orphan) = 0;
  virtual void write(const TakenTwice& twice) = 0;
  virtual void write(const Conflict& conflict) = 0;
};

/// Where accepted records are read back from.
class AcceptedRecords {
 public:
  virtual ~AcceptedRecords() = default;
  /// Views of it stay valid until the next call.
  [[nodiscard]] virtual std::optional<Accepted> read(queue::Locator at) = 0;
  /// Of the one that could not be read just now: the journal has let it go, so that it never can
  /// be again.
  [[nodiscard]] virtual bool is_gone(queue::Locator at) = 0;
  /// The subject that a record which ended a message has of it; nothing where it cannot be read,
  /// of which is_gone() then speaks. Valid until the next call.
  [[nodiscard]] virtual std::optional<std::span<const std::uint8_t>> read_subject(
      queue::Locator at) = 0;
};

/// Is told which segments await a receipt, so that it may ask about those that stay without, and
/// how the carrier turns out to write ids.
class SegmentWatch {
 public:
  virtual ~SegmentWatch() = default;
  /// `until`: seconds of Unix time when silence speaks.
  virtual void on_awaited(queue::Locator at, std::uint8_t part, std::string_view message_id,
                          std::uint64_t until) = 0;
  virtual void on_settled(queue::Locator at, std::uint8_t part) = 0;
  /// A rule was learnt; nothing: what was learnt is contradicted.
  virtual void on_rule(std::optional<protocol::MessageIdRule> learnt) = 0;
};

struct TrackerSetup {
  std::string carrier;
  protocol::MessageIdRule rule = protocol::MessageIdRule::automatic;
  OutcomeCodes codes;
  Outstanding::Key secret{};  ///< carriers choose ids: unknown to them, so that none can collide
  /// Each segment may carry a user_message_reference, and a receipt whose id fits nothing is
  /// matched by it.
  bool by_reference = false;
  /// Each needs its record read and its verdict written: 5 to 10 ms of them, then others have a
  /// turn.
  std::size_t silent_at_once = 1024;
};

struct Moment {
  std::chrono::steady_clock::time_point steady;
  std::uint64_t wall_ms = 0;
};

/// A segment that the carrier has taken.
struct TakenSegment {
  std::string_view message_id;  ///< as the carrier wrote it; empty: no receipt can be matched
  Following of;                 ///< of its message
  std::uint32_t expires = 0;    ///< the message's, seconds of Unix time
  std::uint8_t part = 1;
  std::uint8_t parts = 1;
  std::uint32_t response_ms = 0;     ///< from its submit_sm to the response, which comes now
  const Subject* subject = nullptr;  ///< what its second name is made of; null: it has none
};

/// What trying the orphans again has come to.
struct Rematched {
  std::size_t tried = 0;
  std::size_t matched = 0;  ///< or known as second copies
};

class Tracker {
 public:
  Tracker(TrackerSetup setup, TrackingOutcomes& outcomes, AcceptedRecords& records,
          TrackingStats& stats, Moment now);

  /// Before anything else: more than `in_memory_max` outstanding segments wait on disk.
  void spill_to(std::unique_ptr<SegmentSpill> spill, std::size_t in_memory_max) {
    outstanding_.spill_to(std::move(spill), in_memory_max);
  }

  void set_watch(SegmentWatch& watch) { watch_ = &watch; }

  /// A receipt is due for it, or has come already.
  void on_taken(const TakenSegment& taken, Moment now);
  /// Everything it says is written when this returns; the deliver_sm may be answered when that is
  /// durable.
  void on_receipt(const protocol::Receipt& receipt, Moment now);
  /// The carrier was asked: its id is the one that submit_sm_resp gave. False when the segment had
  /// its last word before.
  bool on_query_answer(const protocol::Receipt& answer, Moment now);
  /// The carrier called the segment back: its id is the one that submit_sm_resp gave. False when
  /// the segment is none of the message's that awaits a receipt.
  bool on_cancelled(std::string_view message_id, queue::Locator message, Moment now);
  /// The message is final without a receipt's word: those that still come change nothing.
  void forget(queue::Locator message);
  /// The record by which it ended as `unknown`, or with a part that is, is durable, and lies there.
  void on_told(queue::Locator message, ToldPlace told) { told_.put(message, told); }
  /// Once a second: a share of the index is looked through for those whose time has passed.
  void on_second(Moment now);
  /// More of them wait than one call may speak for: speak_on() goes on, at the next turn.
  [[nodiscard]] bool is_behind() const noexcept { return sweeps_due_ > 0; }
  void speak_on(Moment now);

  // Recovery, in the order of the journal, then finish_restoring() once.
  void restore_taken(const TakenSegment& taken);
  /// A receipt that was matched before: its second copy must not count, and its part is known.
  void restore_receipt(const ReceiptCame& receipt, std::uint8_t parts);
  /// A receipt that matched nothing when it came.
  void restore_unmatched(const protocol::Receipt& receipt, std::uint64_t came_ms,
                         bool is_unread_conflict = false);
  void restore_taken_twice(const TakenTwice& twice) {
    twice_.confirm(twice.of.accepted, twice.part);
  }
  /// Segments of messages that are in neither list (sorted locator bits) are forgotten; those of
  /// `unknown` were told so and may be corrected, and so may a part that was told unknown of any.
  void finish_restoring(const std::vector<std::uint64_t>& live,
                        const std::vector<std::uint64_t>& unknown, Moment now);

  /// Receipts that match nothing, up to `max` of them, and what would make them match.
  [[nodiscard]] OrphanReport orphans(std::size_t max) const;

  /// From now on receipts' ids are read by `rule`, and all orphans wait for rematch_some().
  void start_rematch(protocol::MessageIdRule rule);
  /// Tries up to `max` of them again, the oldest first; nothing tried: all have been.
  [[nodiscard]] Rematched rematch_some(std::size_t max, Moment now);

  /// As learnt, else as set.
  [[nodiscard]] protocol::MessageIdRule rule() const noexcept {
    return learner_.learnt().value_or(rule_);
  }
  [[nodiscard]] std::size_t outstanding() const noexcept { return outstanding_.size(); }
  [[nodiscard]] std::size_t on_disk() const noexcept { return outstanding_.on_disk(); }
  [[nodiscard]] std::size_t early() const noexcept { return early_.size() + to_rematch_.size(); }
  /// Nothing here needs on_second().
  [[nodiscard]] bool is_idle() const noexcept {
    return outstanding_.size() == 0;  // early receipts that wait in vain may wait on
  }

 private:
  // A carrier may report an expiry some time after the fact; an hour covers those met in the field.
  static constexpr std::uint64_t kReceiptMarginSeconds = 3600;
  // How long a message that was told `unknown` can be corrected at most: by its accepted record, or
  // by the one that told so, which the journal keeps as long by default (told_places.h).
  static constexpr std::uint64_t kCorrectionSeconds = std::uint64_t{72} * 3600;

  using TimePoint = std::chrono::steady_clock::time_point;

  struct Target {
    Outstanding::Fingerprint key;
    OutstandingSegment segment;
    protocol::CanonicalId id;
    bool by_reference = false;
  };
  [[nodiscard]] std::optional<Target> find(const protocol::Receipt& receipt, Moment came);
  [[nodiscard]] bool is_of_another(queue::Locator at, protocol::MessageIdRule rule,
                                   const protocol::Receipt& receipt);
  /// What a receipt named a settled segment by.
  struct Found {
    std::string_view id;
    bool by_reference = false;
  };
  /// What a receipt came to.
  enum class Match : std::uint8_t {
    none,
    done,
    unread,          ///< it is one's whose record cannot be read now
    unread_conflict  ///< it contradicts a final one, and likewise
  };
  [[nodiscard]] Match match(const protocol::Receipt& receipt, Moment came, Moment now);
  [[nodiscard]] Match apply(const Target& target, const protocol::Receipt& receipt, Moment came,
                            Moment now);
  [[nodiscard]] Match apply_by_reference(const protocol::Receipt& receipt, Moment came, Moment now);
  void note_id(queue::Locator message, std::uint8_t part, const protocol::Receipt& receipt,
               Moment now);
  [[nodiscard]] std::optional<SettledSegment> settled_twice(SegmentName name, Moment came) const;
  void name(const TakenSegment& taken, const Outstanding::Fingerprint& key, std::uint64_t sent_ms);
  [[nodiscard]] static std::uint16_t reference_of(const Subject& subject, std::uint8_t part);
  void match_early(const TakenSegment& taken, const protocol::CanonicalId& id, TimePoint sent,
                   Moment now);
  [[nodiscard]] std::optional<Target> find_named(const ReceiptCame& came);
  [[nodiscard]] std::optional<Target> find_by_name(SegmentName name, Moment came) const;
  void await(const Outstanding::Fingerprint& key, const OutstandingSegment& segment);
  /// It was told unknown: whoever knows better may say so for a while.
  void await_correction(const Outstanding::Fingerprint& key, OutstandingSegment segment,
                        Moment now);
  [[nodiscard]] Outstanding::Fingerprint key_aside(queue::Locator message, std::uint8_t part) const;
  [[nodiscard]] std::optional<Target> find_matched(const ReceiptCame& came) const;
  void restore(const Target& target, const ReceiptCame& came, State state);
  void forget_unmatched(const Target& target, const ReceiptCame& came);
  /// `none`: the message's record is gone, and the segment with it.
  [[nodiscard]] Match apply_to(const Target& target, const protocol::Receipt& receipt, Moment came,
                               Moment now, bool is_cancelled = false);
  /// A record; or nothing, and whether that is for good.
  struct RecordRead {
    std::optional<Accepted> accepted;
    bool is_gone = false;
  };
  [[nodiscard]] RecordRead read(queue::Locator at);
  [[nodiscard]] RecordRead read_told(queue::Locator at);
  /// A receipt of it is kept until its record can be read: silence waits for as long.
  void await_reading(const Target& target, Moment came, Moment now);
  void read_again(Moment now);
  /// Tries a kept receipt: whether it has been told now, or is kept on.
  bool try_again(const KeptReceipt& kept, Moment now);
  [[nodiscard]] Outstanding::Fingerprint settled_key(const Target& target) const;
  /// Texts that a verdict's words may stay in.
  struct Words {
    std::string code;
    std::string detail;
  };
  void settle(const Target& target, State state, ReceiptCame& said, Words& words, Moment came,
              Moment now);
  [[nodiscard]] Match repeated(const protocol::Receipt& receipt, Moment came, Moment now);
  [[nodiscard]] std::optional<SettledSegment> settled_of(const Outstanding::Fingerprint& key,
                                                         Moment came) const;
  [[nodiscard]] Match repeat(const SettledSegment& settled, const Found& by,
                             const protocol::Receipt& receipt, Moment came, Moment now);
  /// The first receipt of a segment that was silent until its message was over.
  [[nodiscard]] Match come_late(const SettledSegment& settled, const Found& by,
                                const protocol::Receipt& receipt, Moment came, Moment now);
  [[nodiscard]] Match contradict(const SettledSegment& settled, const Accepted& accepted,
                                 const Found& by, const protocol::Receipt& receipt, Moment came,
                                 Moment now);
  [[nodiscard]] static SettledSegment settled_as(const OutstandingSegment& segment, State state,
                                                 bool possible_duplicate);
  void note_silent(const Outstanding::Fingerprint& key, const OutstandingSegment& segment,
                   State message);
  [[nodiscard]] std::optional<SettledSegment> silent_named(SegmentName name, Moment came) const;
  /// A copy, or one that says nothing new: counted, and written for the message's history.
  void note_again(const Following& of, std::uint8_t part, bool by_reference,
                  const protocol::Receipt& receipt, Moment came, Moment now);
  [[nodiscard]] ReceiptCame said_by(const protocol::Receipt& receipt, Moment came,
                                    Moment now) const;
  void keep_unmatched(const protocol::Receipt& receipt, Moment now, Match why);
  void hold(const protocol::Receipt& receipt, Moment came);
  void on_silence(const Outstanding::Fingerprint& key, OutstandingSegment segment, Moment now);
  void count(State state, State corrects);
  void count_receipt(const protocol::Receipt& receipt);
  [[nodiscard]] std::uint32_t tick_of(TimePoint time) const;
  [[nodiscard]] TimePoint steady_of(std::uint64_t wall_ms) const;
  /// When it was written: before this start, whatever was done to the clock since.
  [[nodiscard]] Moment restored(std::uint64_t wall_ms) const {
    return {.steady = std::min(start_.steady, steady_of(wall_ms)), .wall_ms = wall_ms};
  }
  [[nodiscard]] TimePoint sent_at(const TakenSegment& taken, Moment answered) const;
  [[nodiscard]] std::optional<std::chrono::milliseconds> time_since(const OutstandingSegment& sent,
                                                                    Moment came) const;

  const TrackerSetup setup_;
  protocol::MessageIdRule rule_;  // as set up, until somebody says otherwise
  protocol::MessageIdLearner learner_;
  TrackingOutcomes& outcomes_;
  AcceptedRecords& records_;
  TrackingStats& stats_;
  SegmentWatch* watch_ = nullptr;
  const Moment start_;
  Outstanding outstanding_;
  SegmentNames names_;
  MessageParts parts_;
  EarlyReceipts early_;
  SettledSegments settled_;
  ToldPlaces told_;
  TakenTwiceWatch twice_;
  FurtherCopies copies_;
  std::deque<KeptReceipt> to_rematch_;  // out of early_
  // Orphans that are tried at a start were written: those that prove to be copies are not written
  // at each.
  bool is_restoring_ = false;
  UnreadReceipts unread_;
  // A disk may take seconds to say that it cannot. For a receipt that comes it is always asked; for
  // all that can wait only until so many records could not be read.
  static constexpr std::size_t kFailedReadsMax = 10;
  static constexpr std::chrono::minutes kReadAgainAfter{1};
  class FailedReads {
   public:
    /// While it lives, no record is read once `left` could not be.
    FailedReads(Tracker& tracker, std::size_t& left)
        : tracker_(tracker), before_(std::exchange(tracker.may_fail_, &left)) {}
    ~FailedReads() { tracker_.may_fail_ = before_; }
    FailedReads(const FailedReads&) = delete;
    FailedReads& operator=(const FailedReads&) = delete;

   private:
    Tracker& tracker_;
    std::size_t* before_;
  };
  std::size_t* may_fail_ = nullptr;                    // nobody bounds it
  std::size_t rematch_may_fail_ = kFailedReadsMax;     // in all of one
  std::size_t read_again_may_fail_ = kFailedReadsMax;  // until it rests
  std::size_t silence_may_fail_ = kFailedReadsMax;     // in a minute
  TimePoint silence_minute_ends_{};
  TimePoint read_again_at_{};
  std::size_t sweeps_due_ = 0;  // of the index's parts
};

/// What a carrier's verdict on a segment means for us.
[[nodiscard]] State state_of(protocol::ReceiptVerdict verdict) noexcept;

}  // namespace stentor::daemon
