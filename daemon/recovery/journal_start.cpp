#include "daemon/recovery/journal_start.h"

#include <fmt/format.h>

#include "daemon/recovery/carried_files.h"
#include "daemon/recovery/journal_stretch.h"
#include "queue/carried_excerpt.h"
#include "queue/quarantine.h"

namespace stentor::daemon {
namespace {

queue::result<std::vector<std::string>> salvage_carried(queue::FileSystem& files,
                                                        const std::filesystem::path& journal,
                                                        CarriedFiles& carried) {
  const auto lock = files.lock(journal);
  if (!lock) {
    if (lock.error() == std::errc::no_such_file_or_directory) return {};  // nothing to salvage
    return std::unexpected(lock.error());
  }
  return carried.salvage();
}

class Reading {
 public:
  Reading(queue::FileSystem& files, const std::filesystem::path& journal,
          const JournalStartOptions& options, Replay& replay, LostMessages* lost)
      : files_(files),
        journal_(journal),
        options_(options),
        replay_(replay),
        lost_(lost),
        carried_(files, journal) {}

  [[nodiscard]] std::expected<JournalStart, std::string> run();

 private:
  [[nodiscard]] std::expected<void, std::string> find_carried();
  [[nodiscard]] std::expected<void, std::string> read_base();
  [[nodiscard]] std::expected<void, std::string> read_files();
  [[nodiscard]] std::expected<void, std::string> hold_against_journal();

  queue::FileSystem& files_;
  const std::filesystem::path& journal_;
  const JournalStartOptions& options_;
  Replay& replay_;
  LostMessages* lost_;
  CarriedFiles carried_;
  std::optional<CarriedFile> excerpt_;
  JournalStart start_;
};

std::expected<JournalStart, std::string> Reading::run() {
  if (auto found = find_carried(); !found) return std::unexpected(found.error());
  if (auto read = read_base(); !read) return std::unexpected(read.error());
  if (auto read = read_files(); !read) return std::unexpected(read.error());
  if (auto held = hold_against_journal(); !held) return std::unexpected(held.error());
  // All of it was read, and is sound.
  CheckpointFiles checkpoints(files_, journal_);
  if (!start_.checkpoint && !options_.salvage && checkpoints.are_distrusted()) {
    (void)checkpoints.trust_again();  // else the next start reads everything once more
  }
  queue::Quarantine set_aside(files_, journal_);
  if (const auto loaded = set_aside.load(); !loaded) {
    return std::unexpected((journal_ / "quarantine").string() + ": " + loaded.error().message());
  }
  replay_.set_lost_behind(set_aside.last());
  replay_.finish(start_.recovered.oldest_file);
  start_.carried.live = replay_.carried_live();
  return std::move(start_);
}

std::expected<void, std::string> Reading::find_carried() {
  if (options_.salvage) {
    auto salvaged = salvage_carried(files_, journal_, carried_);
    if (!salvaged) return std::unexpected(journal_.string() + ": " + salvaged.error().message());
    if (!salvaged->empty() && lost_ != nullptr) lost_->expect_carried_lost();
    start_.set_aside = std::move(*salvaged);
  }
  auto found = carried_.find_newest(options_.salvage);
  if (!found) return std::unexpected(std::move(found.error()));
  excerpt_ = *found;
  return {};
}

// A checkpoint knows the carried messages too, and what became of them since. Without one the
// excerpt stands for the files that are gone, and for them alone: those before its end that are
// still there are read like all others. What it says belongs to the totals and campaigns that the
// first file begins with.
std::expected<void, std::string> Reading::read_base() {
  const auto restore = [this](const queue::Record& record) {
    replay_.restore(record);
    return queue::result<void>{};
  };
  CheckpointFiles checkpoints(files_, journal_);
  if (options_.uses_checkpoint && !options_.salvage && !checkpoints.are_distrusted()) {
    start_.checkpoint = checkpoints.find_newest();
  }
  start_.newer_checkpoint = checkpoints.met_newer();
  if (start_.checkpoint) {
    if (const auto read = checkpoints.for_each(*start_.checkpoint, restore); !read) {
      return std::unexpected("a checkpoint that was good a moment ago: " + read.error().message());
    }
    options_.on_checkpoint();
    return {};
  }
  if (!excerpt_) return {};
  // Where it does not read, it is the journal's own damage: it is told below, or set aside.
  (void)for_each_of_preamble(files_, journal_, excerpt_->first_file, restore);
  const auto read = carried_.for_each(excerpt_->before, [&](const queue::Record& record) {
    if (record.at.file() >= excerpt_->first_file) return queue::result<void>{};
    if (lost_ != nullptr) lost_->visit_carried(record);
    return restore(record);
  });
  if (!read)
    return std::unexpected(queue::carried_name(excerpt_->before) + ": " + read.error().message());
  return {};
}

std::expected<void, std::string> Reading::read_files() {
  const std::uint32_t first_file = start_.checkpoint ? start_.checkpoint->before : 0;
  auto recovered =
      queue::recover(files_, journal_, {.salvage = options_.salvage, .first_file = first_file},
                     [this](const queue::Record& record) {
                       replay_.visit(record);
                       if (lost_ != nullptr) lost_->visit(record);
                     });
  if (!recovered) return std::unexpected(std::move(recovered.error().detail));
  start_.set_aside.insert(start_.set_aside.end(), recovered->quarantined.begin(),
                          recovered->quarantined.end());
  start_.recovered = std::move(*recovered);
  return {};
}

// What the journal says last of its excerpt. A newer one than it speaks of got its name right
// before a crash: it is whole, and stands for more.
std::expected<void, std::string> Reading::hold_against_journal() {
  const CarriedNow needed = replay_.carried();
  if (excerpt_ && excerpt_->before >= needed.before) {
    start_.carried = {
        .before = excerpt_->before, .octets = excerpt_->octets, .messages = excerpt_->messages};
    return {};
  }
  if (needed.before == 0) return {};
  const std::string detail = queue::carried_name(needed.before) +
                             ": the file is missing, and holds messages carried out of the "
                             "journal's files before " +
                             std::to_string(needed.before);
  if (!options_.salvage) return std::unexpected(detail);
  if (lost_ != nullptr) lost_->expect_carried_lost();
  if (const auto made = carried_.make_empty(needed.before); !made) {
    return std::unexpected(queue::carried_name(needed.before) + ": " + made.error().message());
  }
  start_.set_aside.push_back(detail);
  start_.carried = {.before = needed.before};
  return {};
}

}  // namespace

std::expected<JournalStart, std::string> start_from_journal(queue::FileSystem& files,
                                                            const std::filesystem::path& journal,
                                                            const JournalStartOptions& options,
                                                            Replay& replay, LostMessages* lost) {
  return Reading(files, journal, options, replay, lost).run();
}

}  // namespace stentor::daemon
