// The checkpoints of a journal directory: which one recovery may begin with, and how the next one
// is made out of it and the files that were sealed since.
//
// A checkpoint may be thrown away at any time: what it says can be read from the journal again, as
// long as the files it speaks of are there. So the newest good one is used, else the one before,
// else none.
//
// Units    Octets; file numbers are the journal's.
// Owns     The names "checkpoint-*.stx" in the journal's directory; keeps the newest two.
// Errors   errno, or damaged where the journal does not read back: no checkpoint is made then.
// Threads  One thread at a time.
// Spec     docs/journal.md, "Checkpoints"
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "daemon/newer_file.h"
#include "daemon/recovery/journal_stretch.h"
#include "queue/error.h"
#include "queue/excerpt_reader.h"
#include "queue/file_system.h"

namespace stentor::daemon {

struct Checkpoint {
  std::uint32_t before = 0;       ///< the first journal file it says nothing of
  std::uint32_t chain_check = 0;  ///< of the last block before that file
  std::uint64_t octets = 0;
};

class CheckpointFiles {
 public:
  CheckpointFiles(queue::FileSystem& files, std::filesystem::path journal)
      : files_(files), journal_(std::move(journal)) {}

  /// The newest checkpoint that is whole, belongs to this journal, and behind which no file has
  /// been dropped. Reads it through once.
  [[nodiscard]] std::optional<Checkpoint> find_newest();
  /// The newest one that find_newest() passed over since a later version wrote it.
  [[nodiscard]] const std::optional<NewerFile>& met_newer() const noexcept { return newer_; }
  [[nodiscard]] queue::result<void> for_each(const Checkpoint& checkpoint,
                                             const queue::ExcerptReader::Visit& visit);

  struct Making {
    std::optional<Checkpoint> previous;
    std::uint32_t oldest = 0;  ///< the journal's first file
    std::uint32_t before = 0;  ///< condense up to this file, which is in use
    std::uint64_t now_ms = 0;
    std::uint64_t guard_ms = 0;        ///< how long references of final messages are kept
    queue::Locator references_from{};  ///< save those before it, which lie in their own runs
    /// The carried excerpt that there is, for what lay in files before `oldest`; 0: none.
    std::uint32_t carried_before = 0;
    Pace pace;
    /// Asked before the new checkpoint counts: whether the files it was made from are still there.
    std::function<bool()> is_still_true;

    /// The first file that has to be read.
    [[nodiscard]] std::uint32_t from() const noexcept {
      return previous ? previous->before : oldest;
    }
  };
  [[nodiscard]] queue::result<Checkpoint> make(const Making& making);

  /// Removes all but the newest two, and what a crash left in making.
  [[nodiscard]] queue::result<void> remove_old();
  /// After salvaging: they speak of what was set aside as if it were there.
  [[nodiscard]] queue::result<void> remove_all();

  /// Damage was found in what they stand for: starts read everything, and refuse it, until it is
  /// salvaged or found to be sound after all. They stay, for salvaging to name what was lost by.
  [[nodiscard]] queue::result<void> distrust();
  [[nodiscard]] bool are_distrusted();
  [[nodiscard]] queue::result<void> trust_again();

 private:
  [[nodiscard]] queue::result<void> remove_but(std::size_t kept);
  [[nodiscard]] queue::result<void> begins_with(std::uint32_t from);
  [[nodiscard]] queue::result<void> for_each_of_base(const Making& making,
                                                     const queue::ExcerptReader::Visit& visit);

  queue::FileSystem& files_;
  const std::filesystem::path journal_;
  std::optional<NewerFile> newer_;
};

}  // namespace stentor::daemon
