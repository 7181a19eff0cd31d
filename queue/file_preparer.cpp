#include "queue/file_preparer.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

#include "queue/journal_format.h"

namespace stentor::queue {
namespace {

// Zeros go out in small synced steps with pauses between them, so that a commit that waits for the
// same disk waits for one step at most. Measured under 2000 commits a second: the slowest hundredth
// takes 0.4 ms so, and 3.4 ms with steps of 4 MiB and no pause.
constexpr std::size_t kStepOctets = 256u << 10;
constexpr std::chrono::microseconds kPause{500};

// While less than this many times the part filled of the file in use is made, there is no time for
// that: larger steps, and no pause.
constexpr std::uint64_t kLead = 2;
constexpr std::size_t kHurriedStepOctets = 4u << 20;

// Below this a file would be all switching; the disk is as good as full.
constexpr std::uint32_t kFileOctetsMin = 256u << 10;
// But a start makes do with this, and ordinary files leave as much as kFileOctetsMin for it: a
// daemon that cannot start on a full disk could not settle what it has accepted either.
constexpr std::uint32_t kFileOctetsAtStart = 16u << 10;

// A file takes at most this part of the space that may be taken, so that a small disk holds
// several and old ones can go.
constexpr std::uint64_t kDiskShare = 4;

}  // namespace

FilePreparer::FilePreparer(FileSystem& files, Options options)
    : files_(files), options_(std::move(options)) {
  assert(options_.make_epoch && "epochs come from somewhere");
  if (options_.in_background) thread_ = std::thread([this] { work(); });
}

FilePreparer::~FilePreparer() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (outcome_ && *outcome_) {
    (void)files_.remove(options_.directory / file_name((*outcome_)->number));  // else recovery does
  }
}

void FilePreparer::run(Job job) {
  if (!options_.in_background) return job();
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
}

void FilePreparer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopping_ || !jobs_.empty(); });
    if (is_stopping_) return;  // what is left undone, recovery does
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

result<PreparedFile> FilePreparer::prepare_now(std::uint32_t number, std::uint32_t octets) {
  return prepare(number, octets, std::min(octets, kFileOctetsAtStart), 0);
}

void FilePreparer::request(std::uint32_t number, std::uint32_t octets) {
  {
    const std::lock_guard lock(mutex_);
    assert(!is_requested_ && "one file at a time");
    is_requested_ = true;
  }
  run([this, number, octets] {
    const std::uint32_t least = std::min(octets, kFileOctetsMin);
    auto outcome = prepare(number, octets, least, options_.free_octets_min + least);
    {
      const std::lock_guard lock(mutex_);
      outcome_ = std::move(outcome);
    }
    changed_.notify_all();
  });
}

result<std::optional<PreparedFile>> FilePreparer::try_take() {
  const std::lock_guard lock(mutex_);
  if (!outcome_) return std::nullopt;
  auto outcome = std::move(*outcome_);
  outcome_.reset();
  is_requested_ = false;
  if (!outcome) return std::unexpected(outcome.error());
  return std::move(*outcome);
}

result<PreparedFile> FilePreparer::take() {
  {
    std::unique_lock lock(mutex_);
    assert(is_requested_ && "only what was requested is waited for");
    changed_.wait(lock, [this] { return outcome_.has_value(); });
  }
  auto taken = try_take();
  if (!taken) return std::unexpected(taken.error());
  return std::move(**taken);
}

bool FilePreparer::is_requested() const {
  const std::lock_guard lock(mutex_);
  return is_requested_;
}

std::uint32_t FilePreparer::ready_octets() const {
  const std::lock_guard lock(mutex_);
  return outcome_ && *outcome_ ? (*outcome_)->octets : 0;
}

result<PreparedFile> FilePreparer::prepare(std::uint32_t number, std::uint32_t octets,
                                           std::uint32_t least, std::uint64_t free_octets_min) {
  const auto free = files_.free_octets(options_.directory);
  if (!free) return std::unexpected(free.error());
  const std::uint64_t usable = *free > free_octets_min ? *free - free_octets_min : 0;
  if (usable < least) return std::unexpected(make_error_code(JournalError::disk_full));
  octets =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(usable / kDiskShare, least, octets));
  while (true) {
    auto made = make(number, octets);
    if (made || made.error() != JournalError::disk_full || octets == least) return made;
    octets = std::max(octets / 2, least);  // a limit of the process or a quota, not the disk's
  }
}

result<PreparedFile> FilePreparer::make(std::uint32_t number, std::uint32_t octets) {
  const auto path = options_.directory / file_name_in_making(number);
  if (const auto removed = files_.remove(path);
      !removed && removed.error() != std::errc::no_such_file_or_directory) {
    return std::unexpected(as_journal_error(removed.error()));
  }
  auto file = files_.open(path, FileSystem::Mode::create);
  if (!file) return std::unexpected(as_journal_error(file.error()));
  PreparedFile made{
      .file = std::move(*file), .number = number, .epoch = options_.make_epoch(), .octets = octets};

  result<void> done = fill(*made.file, made);
  if (done) done = files_.rename(path, options_.directory / file_name(number));
  if (!done) {
    (void)files_.remove(path);  // recovery would
    return std::unexpected(as_journal_error(done.error()));
  }
  if (done = files_.sync_directory(options_.directory); !done) {
    (void)files_.remove(options_.directory / file_name(number));
    return std::unexpected(as_journal_error(done.error()));
  }
  return made;
}

result<void> FilePreparer::fill(File& file, const PreparedFile& made) {
  if (const auto reserved = file.allocate(made.octets); !reserved) return reserved;
  const std::vector<std::uint8_t> zeros(std::min<std::size_t>(kHurriedStepOctets, made.octets));
  for (std::uint64_t at = 0; at < made.octets;) {
    const bool has_time =
        options_.in_background &&
        100 * at / made.octets > kLead * filled_percent_.load(std::memory_order_relaxed);
    if (has_time) std::this_thread::sleep_for(kPause);
    if (options_.in_background) {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) return std::unexpected(make_error_code(std::errc::operation_canceled));
    }
    const auto step =
        std::min<std::uint64_t>(has_time ? kStepOctets : zeros.size(), made.octets - at);
    if (auto written = file.write(at, std::span(zeros).first(step)); !written) return written;
    at += step;
    if (at < made.octets) {
      if (auto synced = file.sync(); !synced) return synced;
    }
  }
  const auto header = encode(FileHeader{.number = made.number, .epoch = made.epoch});
  if (const auto written = file.write(0, header); !written) return written;
  return file.sync();
}

void FilePreparer::finish(std::unique_ptr<File> file, std::uint32_t octets_used) {
  run([file = std::move(file), octets_used] {
    (void)file->truncate(octets_used);  // the rest is zeros; left there it only takes space
  });
}

result<void> FilePreparer::remove(std::vector<std::uint32_t> numbers) {
  std::error_code earlier;
  {
    const std::lock_guard lock(mutex_);
    numbers.insert(numbers.begin(), unremoved_.begin(), unremoved_.end());
    unremoved_.clear();
    earlier = std::exchange(removal_error_, {});
  }
  if (!numbers.empty()) {
    run([this, numbers = std::move(numbers)]() mutable { remove_now(std::move(numbers)); });
  }
  if (earlier) return std::unexpected(earlier);
  return {};
}

void FilePreparer::remove_now(std::vector<std::uint32_t> numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    auto done = files_.remove(options_.directory / file_name(numbers[i]));
    if (!done && done.error() == std::errc::no_such_file_or_directory) done = {};
    if (done) done = files_.sync_directory(options_.directory);
    if (!done) {
      const std::lock_guard lock(mutex_);
      removal_error_ = done.error();
      unremoved_.insert(unremoved_.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(i),
                        numbers.end());
      return;
    }
  }
}

}  // namespace stentor::queue
