#include "daemon/recovery/checkpointer.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>

#include "daemon/recovery/journal_stretch.h"
#include "daemon/wall_clock.h"
#include "queue/journal_format.h"
#include "queue/journal_recovery.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// A checkpoint writes all that lives: with this much journal between two, it is never more than
// half of what the journal itself writes.
constexpr std::uint64_t kOwnSizes = 2;
constexpr auto kLook = 200ms;
// A quarter of a core at most, in steps that no commit waits long for.
constexpr std::uint64_t kPaceOctets = 1u << 20;
constexpr int kRestPerWork = 3;

// Whatever was in the way may take its time to go, and each attempt reads all files again.
constexpr auto kCarryAgain = 60s;
constexpr auto kMakeAgain = 5s;  // of a checkpoint: from the one before, so it reads less
// An excerpt is not to take the last of a disk that the journal needs as well: one new file of it.
constexpr std::uint64_t kRoomBeside = 16u << 20;

}  // namespace

Checkpointer::Checkpointer(queue::FileSystem& files, std::filesystem::path journal,
                           CommitThread& commit, Options options, std::optional<Checkpoint> newest)
    : files_(files),
      journal_(std::move(journal)),
      commit_(commit),
      checkpoints_(files, journal_),
      carried_(files, journal_),
      options_(std::move(options)),
      newest_(newest),
      pin_(commit.add_pin()) {
  hold();
  if (newest_) {
    stats_.octets = newest_->octets;
    stats_.before = newest_->before;
    verified_before_ = newest_->before;
  }
}

Checkpointer::~Checkpointer() {
  stop();
}

void Checkpointer::start() {
  thread_ = std::thread([this] { run(); });
}

void Checkpointer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(guard_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

CheckpointerStats Checkpointer::stats() const {
  const std::lock_guard lock(shown_);
  return stats_;
}

void Checkpointer::run() {
  prctl(PR_SET_NAME, "checkpoint");
  (void)checkpoints_.remove_old();
  do {
    if (on_turn_) on_turn_();
    verify_some();
    hold();
    if (is_distrusted_) continue;
    if (const auto before = due_before()) make(*before);
    hold();
    look_at_carrying();
  } while (sleep(kLook));
}

// One file of the history in each turn: what is younger is read when a checkpoint is made of it.
void Checkpointer::verify_some() {
  next_unverified_ = std::max(next_unverified_, commit_.oldest_file());
  {
    const std::lock_guard lock(shown_);
    stats_.unverified = verified_before_ - std::min(verified_before_, next_unverified_);
  }
  if (next_unverified_ >= verified_before_) return;
  const std::uint32_t file = next_unverified_;
  const Pace at_pace = [this](std::uint64_t octets) { return pace(octets); };
  begin_pace();
  const auto read = for_each_record(files_, journal_, file, file + 1, at_pace,
                                    [](const queue::Record&) { return queue::result<void>{}; });
  if (!read && read.error() == ended_by_pace()) return;
  ++next_unverified_;
  if (!read && commit_.oldest_file() <= file) on_unverified(file, read.error());  // it has not gone
}

// What a disk refuses to read now a start might be able to read: it is told, and no more.
void Checkpointer::on_unverified(std::uint32_t file, std::error_code why) {
  std::string where = queue::file_name(file) + ": " + why.message();
  if (why == queue::JournalError::damaged) {
    const auto found = queue::recover(files_, journal_,
                                      {.read_only = true, .to_watermark = true, .first_file = file},
                                      [](const queue::Record&) {});
    if (!found) where = found.error().detail;
    is_distrusted_ = true;
    // Where that fails the next start finds the same, as long behind it as this one.
    (void)checkpoints_.distrust();
  }
  {
    const std::lock_guard lock(shown_);
    stats_.is_damaged = true;
  }
  if (on_damage_) on_damage_({.where = std::move(where), .is_refused = is_distrusted_});
}

bool Checkpointer::sleep(Clock::duration pause) {
  std::unique_lock lock(guard_);
  wake_.wait_for(lock, pause, [this] { return stopping_; });
  return !stopping_;
}

std::uint32_t Checkpointer::known_before() const {
  return newest_ ? newest_->before : 0;
}

// What no checkpoint knows stays until one does, unless none can be made.
void Checkpointer::hold() {
  pin_.hold_from(is_troubled_ || is_distrusted_ ? FilePin::kNothing : known_before());
}

// The file up to which a checkpoint is worth making; nothing when there is too little to gain. A
// long history without one is condensed in steps, so that memory is bounded by the step.
std::optional<std::uint32_t> Checkpointer::due_before() const {
  if (is_troubled_ && Clock::now() < make_again_) return std::nullopt;
  const std::uint64_t least =
      std::max(options_.every_octets, newest_ ? newest_->octets * kOwnSizes : std::uint64_t{0});
  const std::uint32_t from =
      newest_ && newest_->before >= commit_.oldest_file() ? newest_->before : commit_.oldest_file();
  if (const auto before = commit_.sealed_before(from, least)) return before;
  const bool is_waited_for = commit_.retention_wants() > std::max(from, 1u);
  return is_waited_for ? std::optional(commit_.durable_end().file()) : std::nullopt;
}

void Checkpointer::make(std::uint32_t before) {
  const std::uint32_t oldest = commit_.oldest_file();
  CheckpointFiles::Making making;
  if (newest_ && newest_->before >= oldest) making.previous = newest_;
  making.oldest = oldest;
  making.before = before;
  // Asked after what is gone: never less than it.
  making.carried_before = commit_.carry_desk().taken().before;
  making.now_ms = wall_clock_ms() - suspected_lead_ms();
  making.guard_ms = static_cast<std::uint64_t>(options_.guard.count());
  if (options_.references_from) making.references_from = options_.references_from();
  making.pace = [this](std::uint64_t octets) { return pace(octets); };
  making.is_still_true = [this, from = making.from()] { return commit_.oldest_file() <= from; };
  begin_pace();
  const auto made = checkpoints_.make(making);
  const std::lock_guard lock(shown_);
  if (!made) {
    if (made.error() == std::errc::operation_canceled) return;
    ++stats_.failed;
    if (!is_troubled_ && on_trouble_) on_trouble_(made.error().message());
    is_troubled_ = true;
    make_again_ = Clock::now() + kMakeAgain;
    return;
  }
  is_troubled_ = false;
  newest_ = *made;
  ++stats_.made;
  stats_.octets = made->octets;
  stats_.before = made->before;
  (void)checkpoints_.remove_old();  // what stays is removed at the next turn
}

void Checkpointer::look_at_carrying() {
  const std::uint32_t kept = commit_.carry_desk().taken().before;
  if (kept_carried_ != kept && carried_.remove_all_but(kept)) kept_carried_ = kept;
  const CarryWanted wanted = commit_.carry_desk().wanted();
  if (wanted.before <= kept || Clock::now() < next_carry_) return;
  if (!has_room(wanted)) return;
  // It knows what lives: one that is young saves carrying what has ended since.
  if (!newest_ || newest_->before < wanted.before) make(commit_.durable_end().file());
  if (newest_ && newest_->before >= wanted.before) carry(wanted);
}

void Checkpointer::carry(const CarryWanted& wanted) {
  const auto began = Clock::now();
  CarriedFiles::Making making;
  making.checkpoint = *newest_;
  making.carried_before = commit_.carry_desk().taken().before;
  making.oldest = commit_.oldest_file();
  making.before = wanted.before;
  making.pace = [this](std::uint64_t octets) { return pace(octets); };
  making.is_complete = [this, &wanted](std::uint64_t messages) {
    return is_complete(wanted.before, messages);
  };
  begin_pace();
  is_lacking_ = false;
  const auto made = carried_.make(making);
  if (!made) {
    if (made.error() == std::errc::operation_canceled) return;
    return tell_carry_trouble(is_lacking_ ? "fewer messages were found there than live"
                                          : made.error().message());
  }
  commit_.carry_desk().offer(
      {.before = made->before, .octets = made->octets, .messages = made->messages});
  // Nothing else is made until the journal knows which excerpt counts.
  while (commit_.carry_desk().taken().before != made->before) {
    if (!sleep(kLook)) return;  // the next start finds it, and it is whole
  }
  is_carry_troubled_ = false;
  {
    const std::lock_guard lock(shown_);
    ++stats_.carried;
  }
  if (on_carried_) {
    on_carried_(
        {.excerpt = *made,
         .took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began)});
  }
}

// Whoever counts live messages must find no more of them than the excerpt has.
bool Checkpointer::is_complete(std::uint32_t before, std::uint64_t messages) {
  commit_.carry_desk().propose(before, messages);
  while (commit_.carry_desk().answer() == CarryDesk::Answer::open) {
    if (!sleep(kLook)) return false;
  }
  is_lacking_ = commit_.carry_desk().answer() == CarryDesk::Answer::lacking;
  return !is_lacking_;
}

bool Checkpointer::has_room(const CarryWanted& wanted) {
  const auto free = files_.free_octets(journal_);
  const std::uint64_t needed = wanted.octets + wanted.octets / 4 + kRoomBeside;
  if (free && *free >= needed) return true;
  tell_carry_trouble(!free ? free.error().message()
                           : fmt::format("it needs some {} MiB of disk, and {} MiB are free",
                                         needed >> 20, *free >> 20));
  return false;
}

void Checkpointer::tell_carry_trouble(const std::string& why) {
  next_carry_ = Clock::now() + kCarryAgain;
  {
    const std::lock_guard lock(shown_);
    ++stats_.carries_failed;
  }
  if (!is_carry_troubled_ && on_carry_trouble_) on_carry_trouble_(why);
  is_carry_troubled_ = true;
}

void Checkpointer::begin_pace() {
  unpaced_octets_ = 0;
  working_since_ = Clock::now();
}

bool Checkpointer::pace(std::uint64_t octets) {
  unpaced_octets_ += octets;
  if (unpaced_octets_ < kPaceOctets) return true;
  unpaced_octets_ = 0;
  const bool goes_on = sleep(kRestPerWork * (Clock::now() - working_since_));
  working_since_ = Clock::now();
  return goes_on;
}

}  // namespace stentor::daemon
