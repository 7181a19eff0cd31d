#include "daemon/commit/commit_thread.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cassert>

#include "daemon/commit/commit_feed.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/records/carried_records.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// Under load a sync is worth at least this much (design.md, "Commit"): below, it waits a little.
constexpr std::size_t kEnoughOctets = 256u << 10;
constexpr auto kEnoughTime = 500us;

// One block takes all that a commit gathers; the last batch may run over by its own size, so we
// stop gathering a whole batch short of the block's bound.
constexpr std::size_t kGatherOctetsMax = queue::kBlockOctetsMax - kCommitBatchOctetsMax - 4096;

// The newest commit has no later witness until this long after it (reliability.md section 4).
constexpr auto kWatermarkAfter = 500ms;
constexpr auto kIdleHeartbeat = 1s;
constexpr auto kRetirementEvery = 5s;
constexpr auto kDiskFullPause = 100ms;

// Files are worth reading and writing anew when that frees at least three quarters of what they
// take: so beyond retention lies at most four times what lives there, and one file.
constexpr std::uint64_t kCarryWorth = 4;

void add_carried(std::uint32_t before, std::uint64_t octets, queue::RecordBatch& records) {
  FieldWriter fields;
  encode(CarriedNow{.before = before, .octets = octets}, fields);
  records.add(kCarriedRecord, fields.octets());
}

// What the live messages of a file take of it, as if all that it accepted were alike.
std::uint64_t live_octets(const FileUse& use, std::uint64_t next_sequence) {
  const std::uint64_t accepted =
      std::max(use.live, next_sequence - std::min(next_sequence, use.first_sequence));
  if (accepted == 0) return 0;
  return static_cast<std::uint64_t>(static_cast<double>(use.octets) *
                                    static_cast<double>(use.live) / static_cast<double>(accepted));
}

}  // namespace

CommitThread::CommitThread(Options options)
    : options_(options), clock_(options.clock != nullptr ? *options.clock : real_commit_clock()) {}

void CommitThread::restore(Ledger totals, std::map<std::uint32_t, FileUse> files,
                           CarriedUse carried) {
  totals_ = totals;
  files_ = std::move(files);
  carried_ = carried;
  live_ = carried_.live;
  // Written under a clock that was ahead: they are as old as this start, or would stay for as long
  // as the clock was wrong.
  const std::uint64_t now = clock_.wall_ms();
  for (auto& [number, use] : files_) {
    use.last_ms = std::min(use.last_ms, now);
    live_ += use.live;
  }
  carry_desk_.take(carried_);
}

queue::JournalWriter::Preamble CommitThread::make_preamble() {
  queue::JournalWriter::Preamble preamble;
  preamble.first_word = totals_.sequence_next;
  FieldWriter fields;
  encode(totals_, fields);
  preamble.records.add(static_cast<std::uint8_t>(RecordKind::totals), fields.octets());
  if (carried_.before != 0) add_carried(carried_.before, carried_.octets, preamble.records);
  if (add_to_preamble_) add_to_preamble_(preamble.records);
  return preamble;
}

std::uint32_t CommitThread::file_of(std::uint64_t sequence) const {
  const std::lock_guard lock(shown_);
  std::uint32_t file = 0;
  for (const PublishedFile& candidate : published_files_) {
    if (candidate.first_sequence > sequence) break;
    file = candidate.number;
  }
  return file;
}

std::uint64_t CommitThread::octets_behind(queue::Locator place) const {
  const queue::Locator end = durable_end();
  if (place >= end) return 0;
  if (place.file() == end.file()) return end.block() - place.block();
  std::uint64_t octets = end.block();
  const std::lock_guard lock(shown_);
  for (const PublishedFile& file : published_files_) {
    if (file.number >= place.file() && file.number < end.file()) octets += file.octets;
  }
  return octets - std::min<std::uint64_t>(octets, place.block());
}

std::optional<std::uint32_t> CommitThread::sealed_before(std::uint32_t from,
                                                         std::uint64_t octets) const {
  const std::lock_guard lock(shown_);
  std::uint64_t sealed = 0;
  for (const PublishedFile& file : published_files_) {
    if (file.number < from) continue;
    if (sealed >= octets) return file.number;  // in use, so all before it are sealed
    sealed += file.octets;
  }
  return std::nullopt;
}

CommitThread::~CommitThread() {
  stop();
}

CommitLane& CommitThread::add_producer(bool may_be_refused, std::function<void()> on_durable) {
  auto& lane = lanes_.emplace_back(std::make_unique<CommitLane>());
  lane->may_be_refused = may_be_refused;
  lane->on_durable = std::move(on_durable);
  return *lane;
}

ArrivalLane& CommitThread::add_shard(std::function<void()> on_arrival) {
  auto& shard = shards_.emplace_back(std::make_unique<ArrivalLane>());
  shard->on_arrival = std::move(on_arrival);
  return *shard;
}

void CommitThread::start() {
  assert(writer_ && "a writer was adopted");
  publish();
  heartbeat_.store(clock_.now().time_since_epoch().count(), std::memory_order_relaxed);
  thread_ = std::thread([this] { run(); });
}

void CommitThread::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_seq_cst);
  {
    const std::lock_guard lock(sleep_);
    woken_ = true;
  }
  awake_.notify_one();
  thread_.join();
}

void CommitThread::submit(CommitLane& lane, BatchPointer batch) {
  [[maybe_unused]] const bool pushed = lane.submitted.try_push(std::move(batch));
  assert(pushed && "a producer keeps to kBatchesInFlightMax");
  // The exchange pairs with the one in wait_for_work: either we see that it sleeps, or it sees
  // what we pushed.
  if (sleeping_.exchange(false, std::memory_order_seq_cst)) {
    {
      const std::lock_guard lock(sleep_);
      woken_ = true;
    }
    awake_.notify_one();
  }
}

std::uint64_t CommitThread::untaken_octets() const noexcept {
  std::uint64_t octets = 0;
  for (const auto& shard : shards_) {
    octets += shard->untaken_octets.load(std::memory_order_relaxed);  // a figure: orders nothing
  }
  return octets;
}

CommitSnapshot CommitThread::snapshot() const {
  const std::lock_guard lock(shown_);
  return snapshot_;
}

void CommitThread::run() {
  prctl(PR_SET_NAME, "commit");
  prctl(PR_SET_TIMERSLACK, 10000UL);  // 10 us: pauses of 0.5 ms should not become 0.55 ms
  TimePoint previous_start{};
  while (true) {
    heartbeat_.store(clock_.now().time_since_epoch().count(),
                     std::memory_order_relaxed);  // a lone figure: orders nothing
    push_overflow();
    if (gather()) {
      pause_for_more(previous_start);
      previous_start = clock_.now();
      commit_gathered();
      continue;
    }
    if (stopping_.load(std::memory_order_seq_cst)) break;
    wait_for_work();
  }
  failpoint(Failpoint::stop_last_commit);
  if (!has_failed_) (void)writer_->commit_watermark();  // on the way out: nobody left to tell
}

void CommitThread::wait_for_work() {
  sleeping_.exchange(true, std::memory_order_seq_cst);
  bool empty = !stopping_.load(std::memory_order_seq_cst);
  for (const auto& lane : lanes_) empty = empty && lane->submitted.size_hint() == 0;
  if (empty) {
    bool overflowing = false;
    for (const auto& shard : shards_) overflowing = overflowing || !shard->overflow.empty();
    const auto patience = overflowing       ? std::chrono::milliseconds(1)
                          : owes_watermark_ ? std::chrono::milliseconds(kWatermarkAfter)
                                            : std::chrono::milliseconds(kIdleHeartbeat);
    std::unique_lock lock(sleep_);
    const bool work = clock_.wait(awake_, lock, patience, woken_);
    woken_ = false;
    lock.unlock();
    // Asked when idle too: with nothing to witness it writes nothing, but looks for disk space
    // again where the next file could not be prepared.
    if (!work && clock_.now() >= next_watermark_ && !has_failed_) {
      next_watermark_ = clock_.now() + kWatermarkAfter;
      owes_watermark_ = false;
      if (const auto written = writer_->commit_watermark();
          !written && written.error() != queue::JournalError::disk_full) {
        fail(written.error());
      }
    }
    if (clock_.now() >= next_retirement_) retire_files();
  }
  sleeping_.exchange(false, std::memory_order_seq_cst);
}

bool CommitThread::gather() {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    while (gathered_octets_ < kGatherOctetsMax) {
      auto batch = lanes_[i]->submitted.try_pop();
      if (!batch) break;
      gathered_octets_ += (*batch)->records.octets().size();
      gathered_.push_back({i, std::move(*batch)});
    }
  }
  return !gathered_.empty();
}

void CommitThread::pause_for_more(TimePoint previous_start) {
  if (has_failed_ || stopping_.load(std::memory_order_relaxed)) return;  // only a hint here
  if (options_.delay.count() > 0) {
    clock_.sleep_for(options_.delay);
    gather();
    return;
  }
  const auto due = previous_start + kEnoughTime;
  while (gathered_octets_ < kEnoughOctets) {
    const auto now = clock_.now();
    if (now >= due) break;
    // In steps, so that a burst that fills the block is not kept waiting for the clock.
    clock_.sleep_for(std::min<CommitClock::Duration>(due - now, 100us));
    gather();
  }
}

void CommitThread::commit_gathered() {
  if (has_failed_) return fail(make_error_code(queue::JournalError::poisoned));
  block_.clear();
  for (const Gathered& gathered : gathered_) block_.push_back(&gathered.batch->records);

  const auto start = clock_.now();
  const auto committed = writer_->commit(block_);
  if (!committed) {
    if (committed.error() == queue::JournalError::disk_full) return refuse_or_keep();
    return fail(committed.error());
  }
  failpoint(Failpoint::commit_durable);
  const auto end = clock_.now();
  commit_seconds_.record(end - start);
  owes_watermark_ = true;
  next_watermark_ = end + kWatermarkAfter;

  for (const Gathered& gathered : gathered_) count(*gathered.batch);
  publish();

  bool has_events = false;
  for (const Gathered& gathered : gathered_) {
    has_events = has_events || gathered.batch->has_events;
    hand_to_shards(gathered.batch);
    settle(gathered.lane, gathered.batch);
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    for (const Gathered& gathered : gathered_) {
      if (gathered.lane == i) {
        lanes_[i]->on_durable();
        break;
      }
    }
  }
  failpoint(Failpoint::commit_told);
  gathered_.clear();
  gathered_octets_ = 0;
  if (has_events && on_events_) on_events_();
  if (start >= next_retirement_) retire_files();
}

void CommitThread::count(CommitBatch& batch) {
  const std::uint32_t file = batch.records.base().file();
  const auto [entry, is_new] = files_.try_emplace(file);
  FileUse& use = entry->second;
  // A batch that opens a file: what comes before its own messages lies in older ones.
  if (is_new) {
    use.first_sequence = totals_.sequence_next;
    use.has_totals = true;
  }
  use.last_ms = clock_.wall_ms();
  use.octets += batch.records.octets().size();
  totals_.add(batch.delta);
  totals_.sequence_next = std::max(totals_.sequence_next, batch.delta.sequence_next);
  if (on_counted_) on_counted_(batch);
  use.live += batch.accepted;
  live_ += batch.accepted;
  for (const auto& [accept_file, messages] : batch.finished) {
    const auto found = files_.find(accept_file);
    std::uint64_t& live = found != files_.end() ? found->second.live : carried_.live;
    assert(live >= messages && "a file outlives its messages, or they are carried out of it");
    live -= messages;
    live_ -= messages;
  }
}

void CommitThread::publish() {
  durable_end_.store(writer_->durable_end().bits(),
                     std::memory_order_release);  // pairs with acquire in durable_end()
  const std::lock_guard lock(shown_);
  snapshot_.ledger = totals_;
  snapshot_.journal = writer_->stats();
  snapshot_.commit_seconds = commit_seconds_;
  snapshot_.oldest_file = files_.empty() ? 0 : files_.begin()->first;
  snapshot_.live = live_;
  oldest_file_.store(static_cast<std::uint32_t>(snapshot_.oldest_file),
                     std::memory_order_relaxed);  // see oldest_file()
  if (files_.empty()) return;
  if (published_files_.empty() || published_files_.front().number != files_.begin()->first ||
      published_files_.back().number != files_.rbegin()->first) {
    published_files_.clear();
    for (const auto& [number, use] : files_) {
      published_files_.push_back({number, use.first_sequence, use.octets});
    }
  }
}

void CommitThread::settle(std::size_t lane, BatchPointer batch) {
  [[maybe_unused]] const bool pushed = lanes_[lane]->settled.try_push(std::move(batch));
  assert(pushed && "no more batches come back than were in flight");
}

void CommitThread::hand_to_shards(const BatchPointer& batch) {
  for (std::size_t i = 0; i < batch->arrivals.size(); ++i) {
    if (batch->arrivals[i].empty()) continue;
    ArrivalLane& shard = *shards_[i];
    shard.untaken_octets.fetch_add(batch->records.octets().size(),
                                   std::memory_order_relaxed);  // a figure: orders nothing
    BatchPointer copy = batch;
    if (!shard.overflow.empty() || !shard.ring.try_push(std::move(copy))) {
      shard.overflow.push_back(batch);  // bounded by ingress, which waits for what is not taken
    }
    shard.on_arrival();
  }
}

void CommitThread::push_overflow() {
  for (const auto& shard : shards_) {
    bool pushed = false;
    while (!shard->overflow.empty()) {
      BatchPointer batch = shard->overflow.front();
      if (!shard->ring.try_push(std::move(batch))) break;
      shard->overflow.pop_front();
      pushed = true;
    }
    if (pushed) shard->on_arrival();
  }
}

// Nothing was written. Ingress's batches go back refused: their clients send again. The others hold
// outcomes of messages that were promised: they wait here for space, and so do their producers.
void CommitThread::refuse_or_keep() {
  std::vector<Gathered> kept;
  std::vector<bool> refused(lanes_.size());
  for (Gathered& gathered : gathered_) {
    if (lanes_[gathered.lane]->may_be_refused) {
      gathered.batch->failure = make_error_code(queue::JournalError::disk_full);
      settle(gathered.lane, std::move(gathered.batch));
      refused[gathered.lane] = true;
    } else {
      kept.push_back(std::move(gathered));
    }
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (refused[i]) lanes_[i]->on_durable();
  }
  gathered_ = std::move(kept);
  gathered_octets_ = 0;
  for (const Gathered& gathered : gathered_) {
    gathered_octets_ += gathered.batch->records.octets().size();
  }
  retire_files();
  // By themselves they may fit; gathered with what comes in meanwhile they might not for ever.
  if (!gathered_.empty() && std::ranges::find(refused, true) != refused.end()) {
    return commit_gathered();
  }
  if (stopping_.load(std::memory_order_relaxed)) {  // only a hint; after restart they are in doubt
    gathered_.clear();
    gathered_octets_ = 0;
  }
  if (!gathered_.empty()) clock_.sleep_for(kDiskFullPause);
}

void CommitThread::fail(std::error_code why) {
  std::vector<bool> told(lanes_.size());
  for (Gathered& gathered : gathered_) {
    gathered.batch->failure = why;
    settle(gathered.lane, std::move(gathered.batch));
    told[gathered.lane] = true;
  }
  gathered_.clear();
  gathered_octets_ = 0;
  if (!has_failed_) {
    has_failed_ = true;
    {
      const std::lock_guard lock(shown_);
      snapshot_.has_failed = true;
    }
    if (on_failure_) on_failure_(why.message());
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (told[i]) lanes_[i]->on_durable();
  }
}

std::uint32_t CommitThread::wanted_but_for(const FilePin& pin) const noexcept {
  std::uint32_t wanted = retention_wants();
  for (const auto& each : pins_) {
    if (each->turn() < pin.turn()) wanted = std::min(wanted, each->held_from());
  }
  return wanted;
}

// What somebody holds stays, and with it what comes before up to a file that begins with totals.
std::uint32_t CommitThread::held_back(std::uint32_t keep_from) const {
  std::uint32_t pinned = FilePin::kNothing;
  for (const auto& pin : pins_) pinned = std::min(pinned, pin->held_from());
  if (pinned >= keep_from) return keep_from;
  auto file = files_.upper_bound(pinned);
  while (file != files_.begin()) {
    --file;
    if (file->second.has_totals) return file->first;
  }
  return files_.empty() ? keep_from : files_.begin()->first;
}

// Those of files before `file`, and of the excerpt that stands for files which are gone.
std::uint64_t CommitThread::live_before(std::uint32_t file) const {
  std::uint64_t live = carried_.live;
  for (const auto& [number, use] : files_) {
    if (number >= file) break;
    live += use.live;
  }
  return live;
}

// Answers whoever makes an excerpt, and says in the journal which one counts.
void CommitThread::look_at_carrying() {
  carry_desk_.judge([this](std::uint32_t before) { return live_before(before); });
  CarriedUse next = carry_desk_.offered();
  if (next.before > carried_.before) {
    next.live = carried_.live;
    return take_carried(next);
  }
  // The last of its messages is final: files behind it may go without another one.
  if (carried_.before != 0 && live_before(carried_.before) == 0) take_carried({});
}

// With the disk full it is tried again at the next look.
void CommitThread::take_carried(const CarriedUse& carried) {
  CommitBatch batch;
  add_carried(carried.before, carried.octets, batch.records);
  failpoint(Failpoint::carrying_before);
  block_.assign(1, &batch.records);
  const auto written = writer_->commit(block_);
  block_.clear();
  if (!written) {
    if (written.error() != queue::JournalError::disk_full) fail(written.error());
    return;
  }
  failpoint(Failpoint::carrying_recorded);
  carried_ = carried;
  owes_watermark_ = true;
  count(batch);
  carry_desk_.take(carried_);
  publish();
}

// Files go from the oldest on, never from the middle: a record may speak of a message in any file
// before its own, so that what follows a dropped file is still complete in itself. Where there is a
// carried excerpt, what follows may speak of its messages, and goes with the next excerpt.
void CommitThread::retire_files() {
  next_retirement_ = clock_.now() + kRetirementEvery;
  if (has_failed_) return;
  look_at_carrying();
  if (has_failed_) return;
  const std::uint64_t now = clock_.wall_ms() - clock_.suspected_lead_ms();
  const std::uint32_t current = writer_->durable_end().file();
  std::uint64_t octets = writer_->stats().octets_on_disk;
  std::uint32_t keep_from = files_.empty() ? current : files_.begin()->first;
  OverdueFiles overdue;
  CarryWanted wanted;
  CarryWanted so_far{.before = 0, .octets = carried_.octets};
  bool is_kept = false;
  for (auto file = files_.begin(); file != files_.end() && file->first < current;) {
    const FileUse& use = file->second;
    const bool is_old =
        use.last_ms + static_cast<std::uint64_t>(options_.retention.age.count()) < now;
    const bool is_guarded =
        use.last_ms + static_cast<std::uint64_t>(options_.retention.guard.count()) >= now;
    const bool is_too_much = octets > options_.retention.octets && !is_guarded;
    if (!is_old && !is_too_much) break;
    octets -= std::min(octets, use.octets);
    const bool is_carried = file->first < carried_.before;
    is_kept = is_kept || (is_carried ? false : use.live > 0 || carried_.before != 0);
    ++file;
    const bool begins = file == files_.end() || file->second.has_totals;
    if (is_kept) {  // it stays, and with it all that follows
      overdue.octets += use.octets;
      overdue.live += use.live;
      so_far.octets += live_octets(
          use, file == files_.end() ? totals_.sequence_next : file->second.first_sequence);
      if (file != files_.end() && begins && overdue.octets >= kCarryWorth * so_far.octets) {
        wanted = {.before = file->first, .octets = so_far.octets};
      }
      continue;
    }
    if (!begins) continue;  // it goes with the next one
    keep_from = file == files_.end() ? current : file->first;
  }
  CarriedUse carried = carried_;
  carried.live = carried_.before == 0 ? 0 : live_before(carried_.before);
  if (is_kept) overdue.live += carried.live;
  {
    const std::lock_guard lock(shown_);
    snapshot_.overdue = overdue;
    snapshot_.carried = carried;
  }
  carry_desk_.want(wanted);
  retention_wants_.store(keep_from, std::memory_order_relaxed);  // see retention_wants()
  keep_from = held_back(keep_from);
  const auto kept = files_.lower_bound(keep_from);
  const bool may_go = kept != files_.begin();
  for (auto file = files_.begin(); file != kept; ++file) carried_.live += file->second.live;
  files_.erase(files_.begin(), kept);
  if (may_go) failpoint(Failpoint::retirement_before);
  // A file that cannot be removed now is offered again at the next turn.
  (void)writer_->drop_before(keep_from);
  if (!may_go) return;
  publish();
  failpoint(Failpoint::retirement_asked);
}

}  // namespace stentor::daemon
