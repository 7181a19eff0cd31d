// The one thread that makes records durable, and tells everyone who waits for it.
//
// Group commit: while one write and fdatasync is under way, producers fill the next block. After
// idle the first commit goes at once; under load the next one starts after 256 KiB or 0.5 ms,
// whichever comes first, so that each sync serves many messages.
//
// Units    Octets; times are steady_clock.
// Owns     The journal writer, the ledger's totals, and the count of live messages in each file and
//          in the carried excerpt.
// Errors   A failed write or sync ends the journal: on_failure is called once, every batch in
//          flight comes back with its failure set, and nothing is accepted any more. With the disk
//          full, batches of ingress come back failed and those of shards are tried again: what was
//          accepted goes on being delivered.
// Threads  submit() on the lane's producer thread. Everything else on the commit thread, save
//          start(), stop() and snapshot().
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/commit/carry_desk.h"
#include "daemon/commit/commit_batch.h"
#include "daemon/commit/commit_clock.h"
#include "daemon/metrics/histogram.h"
#include "queue/journal_writer.h"
#include "queue/spsc_ring.h"

namespace stentor::daemon {

/// A producer keeps at most this many batches unanswered, so that its ring is never full.
inline constexpr std::size_t kBatchesInFlightMax = 8;

using BatchPointer = std::shared_ptr<CommitBatch>;
using BatchRing = queue::SpscRing<BatchPointer>;

/// One producer's way to the commit thread and back.
struct CommitLane {
  bool may_be_refused = false;       ///< ingress: with the disk full its batches come back failed
  std::function<void()> on_durable;  ///< wakes the producer; called on the commit thread
  BatchRing submitted{2 * kBatchesInFlightMax};
  BatchRing settled{2 * kBatchesInFlightMax};
};

/// Where durable messages are handed to a shard.
struct ArrivalLane {
  std::function<void()> on_arrival;  ///< wakes the shard; called on the commit thread
  BatchRing ring{1024};
  std::atomic<std::uint64_t> untaken_octets{0};  ///< of batches that the shard has not taken yet
  std::deque<BatchPointer> overflow;  ///< the commit thread's own: a full ring delays nobody else
};

/// How much of each journal file is still needed.
struct FileUse {
  std::uint64_t live = 0;     ///< messages accepted in it that are not final
  std::uint64_t last_ms = 0;  ///< date of its latest record
  std::uint64_t octets = 0;
  std::uint64_t first_sequence = 0;  ///< accepted records in it begin here
  bool has_totals = false;  ///< begins with the ledger's totals, so that older files can go
};

struct RetentionRule {
  std::chrono::milliseconds age{};
  std::uint64_t octets = 0;
  /// A file this young stays whatever the size: a reference in it may come again.
  std::chrono::milliseconds guard{};
};

/// Files that retention would drop, were it not for live messages in them or in files before them.
struct OverdueFiles {
  std::uint64_t octets = 0;
  std::uint64_t live = 0;
};

struct CommitSnapshot {
  Ledger ledger;
  queue::JournalStats journal;
  Histogram commit_seconds;
  std::uint64_t oldest_file = 0;
  std::uint64_t live = 0;  ///< counted by file, apart from the ledger
  OverdueFiles overdue;
  CarriedUse carried;  ///< `live` with those whose files are still there
  bool has_failed = false;

  /// 0, always: what was accepted is final or live.
  [[nodiscard]] std::int64_t imbalance() const noexcept {
    return static_cast<std::int64_t>(ledger.accepted) -
           static_cast<std::int64_t>(ledger.finals() + live);
  }
};

/// Somebody's word that journal files from one on are still needed, whatever retention says.
///
/// Threads  The holder's thread says it, the commit thread reads it: late by one turn at worst, and
///          a holder asks for files that are there because something newer keeps them.
class FilePin {
 public:
  static constexpr std::uint32_t kNothing = 0xffffffff;
  /// In which order files are let go: who counts what goes with them waits for those who keep them,
  /// and who can post it meanwhile lets go last.
  enum class Turn : std::uint8_t { keeps, counts, posts };

  explicit FilePin(Turn turn) : turn_(turn) {}
  [[nodiscard]] Turn turn() const noexcept { return turn_; }
  void hold_from(std::uint32_t file) noexcept {
    from_.store(file, std::memory_order_relaxed);  // a lone figure: orders nothing
  }
  [[nodiscard]] std::uint32_t held_from() const noexcept {
    return from_.load(std::memory_order_relaxed);  // see hold_from()
  }

 private:
  const Turn turn_;
  std::atomic<std::uint32_t> from_{kNothing};
};

class CommitThread {
 public:
  struct Options {
    std::chrono::microseconds delay{0};  ///< fixed pause before each commit; 0: adaptive
    RetentionRule retention;
    CommitClock* clock = nullptr;  ///< the machine's when there is none; it outlives the thread
  };

  explicit CommitThread(Options options);
  ~CommitThread();
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  /// Before start(): what recovery found, then the writer that goes on from there.
  void restore(Ledger totals, std::map<std::uint32_t, FileUse> files, CarriedUse carried = {});
  void adopt(std::unique_ptr<queue::JournalWriter> writer) { writer_ = std::move(writer); }
  /// The first block of a new file: the totals, and whatever add_to_preamble() contributes.
  [[nodiscard]] queue::JournalWriter::Preamble make_preamble();
  void set_add_to_preamble(std::function<void(queue::RecordBatch&)> add) {
    add_to_preamble_ = std::move(add);
  }
  /// Called on the commit thread for each batch that became durable, before anyone is told.
  void set_on_counted(std::function<void(const CommitBatch&)> on_counted) {
    on_counted_ = std::move(on_counted);
  }
  CommitLane& add_producer(bool may_be_refused, std::function<void()> on_durable);
  ArrivalLane& add_shard(std::function<void()> on_arrival);
  /// Before start().
  FilePin& add_pin(FilePin::Turn turn = FilePin::Turn::keeps) {
    return *pins_.emplace_back(std::make_unique<FilePin>(turn));
  }
  void set_on_events(std::function<void()> on_events) { on_events_ = std::move(on_events); }
  void set_on_failure(std::function<void(std::string)> on_failure) {
    on_failure_ = std::move(on_failure);
  }
  void start();
  /// Commits what has been submitted, writes a last watermark, and ends the thread.
  void stop();

  /// Hands a filled batch over; it comes back through lane.settled.
  void submit(CommitLane& lane, BatchPointer batch);

  /// The place behind the last durable record. Any thread.
  [[nodiscard]] queue::Locator durable_end() const noexcept {
    return queue::Locator(durable_end_.load(std::memory_order_acquire));  // pairs with publish()
  }
  /// Octets of durable batches that shards have not taken yet. Any thread.
  [[nodiscard]] std::uint64_t untaken_octets() const noexcept;
  /// The oldest file there is: readers let go of those before it. Any thread.
  [[nodiscard]] std::uint32_t oldest_file() const noexcept {
    return oldest_file_.load(std::memory_order_relaxed);  // a hint: a late reader holds one longer
  }
  /// The oldest file that retention would keep if nobody held files before it. Any thread.
  [[nodiscard]] std::uint32_t retention_wants() const noexcept {
    return retention_wants_.load(std::memory_order_relaxed);  // a lone figure: orders nothing
  }
  /// The same, but for what it and those behind its turn hold: when it is for them to let go. Any
  /// thread.
  [[nodiscard]] std::uint32_t wanted_but_for(const FilePin& pin) const noexcept;
  [[nodiscard]] CarryDesk& carry_desk() noexcept { return carry_desk_; }
  /// When the commit thread last proved that it lives: steady_clock ticks. Any thread.
  [[nodiscard]] std::chrono::steady_clock::time_point last_heartbeat() const noexcept {
    return std::chrono::steady_clock::time_point(
        std::chrono::steady_clock::duration(heartbeat_.load(std::memory_order_relaxed)));
  }
  /// The file whose accepted records begin at or before this accept sequence. Any thread.
  [[nodiscard]] std::uint32_t file_of(std::uint64_t sequence) const;
  /// Octets of journal between a place and the durable end. Any thread.
  [[nodiscard]] std::uint64_t octets_behind(queue::Locator place) const;
  /// The file up to which, from file `from` on, sealed files hold at least `octets`; nothing when
  /// they hold less. Any thread.
  [[nodiscard]] std::optional<std::uint32_t> sealed_before(std::uint32_t from,
                                                           std::uint64_t octets) const;
  /// A consistent copy for metrics and status; takes a lock that the commit thread takes once a
  /// commit for some nanoseconds. Any thread.
  [[nodiscard]] CommitSnapshot snapshot() const;

 private:
  using TimePoint = CommitClock::TimePoint;

  void run();
  void wait_for_work();
  bool gather();
  void pause_for_more(TimePoint previous_start);
  void commit_gathered();
  void publish();
  void settle(std::size_t lane, BatchPointer batch);
  void refuse_or_keep();
  void fail(std::error_code why);
  void count(CommitBatch& batch);
  void hand_to_shards(const BatchPointer& batch);
  void push_overflow();
  void retire_files();
  void look_at_carrying();
  void take_carried(const CarriedUse& carried);
  [[nodiscard]] std::uint64_t live_before(std::uint32_t file) const;
  [[nodiscard]] std::uint32_t held_back(std::uint32_t keep_from) const;

  struct Gathered {
    std::size_t lane;
    BatchPointer batch;
  };

  const Options options_;
  CommitClock& clock_;
  std::unique_ptr<queue::JournalWriter> writer_;
  std::vector<std::unique_ptr<CommitLane>> lanes_;
  std::vector<std::unique_ptr<ArrivalLane>> shards_;
  std::vector<std::unique_ptr<FilePin>> pins_;
  std::function<void()> on_events_;
  std::function<void(const CommitBatch&)> on_counted_;
  std::function<void(std::string)> on_failure_;
  std::function<void(queue::RecordBatch&)> add_to_preamble_;

  Ledger totals_;
  std::map<std::uint32_t, FileUse> files_;
  std::uint64_t live_ = 0;
  CarriedUse carried_;
  CarryDesk carry_desk_;
  std::vector<Gathered> gathered_;
  std::size_t gathered_octets_ = 0;
  std::vector<queue::RecordBatch*> block_;
  bool has_failed_ = false;
  bool owes_watermark_ = false;
  TimePoint next_retirement_{};
  TimePoint next_watermark_{};
  Histogram commit_seconds_;

  std::atomic<std::uint64_t> durable_end_{0};
  std::atomic<CommitClock::Duration::rep> heartbeat_{0};
  std::atomic<std::uint32_t> oldest_file_{0};
  std::atomic<std::uint32_t> retention_wants_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> sleeping_{false};
  std::mutex sleep_;
  std::condition_variable awake_;
  bool woken_ = false;
  mutable std::mutex shown_;
  CommitSnapshot snapshot_;
  struct PublishedFile {
    std::uint32_t number;
    std::uint64_t first_sequence;
    std::uint64_t octets;
  };
  std::vector<PublishedFile> published_files_;  // renewed when a file comes or goes
  std::thread thread_;
};

}  // namespace stentor::daemon
