#include "daemon/recovery/checkpointer.h"

#include <sys/prctl.h>

#include "daemon/wall_clock.h"

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

}  // namespace

Checkpointer::Checkpointer(queue::FileSystem& files, std::filesystem::path journal,
                           const CommitThread& commit, Options options,
                           std::optional<Checkpoint> newest)
    : commit_(commit), checkpoints_(files, std::move(journal)), options_(options), newest_(newest) {
  if (newest_) {
    stats_.octets = newest_->octets;
    stats_.before = newest_->before;
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
    if (const auto before = due_before()) make(*before);
  } while (sleep(kLook));
}

bool Checkpointer::sleep(Clock::duration pause) {
  std::unique_lock lock(guard_);
  wake_.wait_for(lock, pause, [this] { return stopping_; });
  return !stopping_;
}

// The file up to which a checkpoint is worth making; nothing when there is too little to gain. A
// long history without one is condensed in steps, so that memory is bounded by the step.
std::optional<std::uint32_t> Checkpointer::due_before() const {
  const std::uint64_t least =
      std::max(options_.every_octets, newest_ ? newest_->octets * kOwnSizes : std::uint64_t{0});
  const std::uint32_t from =
      newest_ && newest_->before >= commit_.oldest_file() ? newest_->before : commit_.oldest_file();
  return commit_.sealed_before(from, least);
}

void Checkpointer::make(std::uint32_t before) {
  const std::uint32_t oldest = commit_.oldest_file();
  CheckpointFiles::Making making;
  if (newest_ && newest_->before >= oldest) making.previous = newest_;
  making.oldest = oldest;
  making.before = before;
  making.now_ms = wall_clock_ms();
  making.guard_ms = static_cast<std::uint64_t>(options_.guard.count());
  if (options_.references_from) making.references_from = options_.references_from();
  making.pace = [this](std::uint64_t octets) { return pace(octets); };
  const std::uint32_t from = making.previous ? making.previous->before : oldest;
  making.is_still_true = [this, from] { return commit_.oldest_file() <= from; };
  unpaced_octets_ = 0;
  working_since_ = Clock::now();
  const auto made = checkpoints_.make(making);
  const std::lock_guard lock(shown_);
  if (!made) {
    if (made.error() == std::errc::operation_canceled) return;
    ++stats_.failed;
    if (!is_troubled_ && on_trouble_) on_trouble_(made.error().message());
    is_troubled_ = true;
    return;
  }
  is_troubled_ = false;
  newest_ = *made;
  ++stats_.made;
  stats_.octets = made->octets;
  stats_.before = made->before;
  (void)checkpoints_.remove_old();  // what stays is removed at the next turn
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
