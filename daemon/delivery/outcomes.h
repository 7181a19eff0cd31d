// Writes what became of messages into the shard's commit batch, and keeps the ledger's share of it.
//
// Every state change of a message goes through here, so that record, ledger and file use can never
// disagree.
//
// Units    Milliseconds of Unix time.
// Owns     Scratch memory only.
// Errors   None: records are bounded by what was accepted.
// Threads  The shard's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "daemon/commit/commit_feed.h"
#include "daemon/records/cancel_records.h"
#include "daemon/records/carrier_cancel_records.h"
#include "daemon/records/doubt_records.h"
#include "daemon/records/pause_records.h"
#include "daemon/records/records.h"
#include "daemon/records/slowed_records.h"
#include "daemon/tracking/tracker.h"

namespace stentor::daemon {

class Outcomes final : public TrackingOutcomes {
 public:
  explicit Outcomes(CommitFeed& feed) : feed_(feed) {}

  void write(const PartAnswered& part);
  void write(const ReceiptCame& receipt) override;
  void write(const Verdict& verdict) override;
  void write(const Uncertain& uncertain);
  void write(const Resolved& resolved);
  /// One that changes nothing: nobody is told.
  void write_again(const ReceiptCame& receipt) override;
  /// A final receipt against an earlier one: told, and nothing else.
  void write(const Conflict& conflict) override;
  void write(const Orphan& orphan) override;
  /// Likewise.
  void write(const TakenTwice& twice) override;
  void write(const Released& released);
  /// Told, and nothing else.
  void write(const CancelAnswered& answered);
  void write(const Slowed& slowed);
  void write(const Paused& paused);
  /// Returns where the record lies within its batch.
  [[nodiscard]] std::uint32_t write(const CarrierCancelled& cancelled);
  void write(const Passed& passed);
  void write(const CarrierSwitched& switched);
  /// The message goes to the shard of `arrival`'s carrier when this is durable.
  void write(const Moved& moved, const Arrival& arrival, std::size_t shards);
  /// Returns the batch that must be durable before the messages may go on the wire.
  [[nodiscard]] std::uint64_t write(const Intent& intent);

  /// The batch that carries what was written last.
  [[nodiscard]] std::uint64_t batch() const noexcept { return feed_.last_written(); }

  /// Of a batch that is durable: where it says that messages ended as `unknown`, or with a part
  /// that is.
  using Told = std::function<void(queue::Locator message, ToldPlace)>;
  void take_told(const CommitBatch& batch, const Told& sink);

 private:
  /// Returns where the record lies within its batch.
  template <class Body>
  std::uint32_t add(RecordKind kind, const Body& body);
  void account(const Following& of, State corrects = State::none);
  void note_told(const Following& of, std::uint32_t offset);

  CommitFeed& feed_;
  FieldWriter fields_;
  struct Written {
    std::uint64_t batch = 0;
    std::uint32_t offset = 0;
    queue::Flow flow = 0;
    queue::Locator message;
  };
  std::deque<Written> told_;  // in batches that are not durable yet: as many as are under way
};

}  // namespace stentor::daemon
