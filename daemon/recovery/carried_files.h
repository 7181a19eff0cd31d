// The carried excerpts of a journal directory: live messages carried out of old journal files, so
// that those files can go. `carried-B.stx` holds, octet for octet and under their old places, the
// records of files before B that speak of messages which still live.
//
// Unlike a checkpoint it may not be lost: the files that it was made from go. So a start that finds
// it damaged, or missing where the journal says that it is needed, is refused.
//
// Units    Octets; file numbers are the journal's.
// Owns     The names "carried-*.stx" in the journal's directory. While one is made: two bits for
//          each message that lives in it, neighbours together, and one block.
// Errors   As words that name the file, for a start; else errno, or damaged where the journal does
//          not read back: no excerpt is made then, and the files stay.
// Threads  One thread at a time.
// Spec     docs/journal.md, "Carried excerpts"
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/recovery/checkpoint_files.h"
#include "daemon/recovery/journal_stretch.h"
#include "daemon/recovery/sequence_set.h"
#include "queue/error.h"
#include "queue/excerpt_reader.h"
#include "queue/excerpt_writer.h"
#include "queue/file_system.h"

namespace stentor::daemon {

struct CarriedFile {
  std::uint32_t before = 0;  ///< the first journal file that it says nothing of
  std::uint64_t octets = 0;
  std::uint64_t messages = 0;    ///< that lived when it was made
  std::uint32_t first_file = 0;  ///< the journal's, when it was looked at
};

class CarriedFiles {
 public:
  CarriedFiles(queue::FileSystem& files, std::filesystem::path journal)
      : files_(files), journal_(std::move(journal)) {}

  /// The excerpt that stands for the files which are gone, read through once; nothing where there
  /// is none, or none that is needed. Else the words of a refusal. Salvaging takes it even where
  /// journal files behind it are missing.
  [[nodiscard]] std::expected<std::optional<CarriedFile>, std::string> find_newest(
      bool salvage = false);
  /// Where the newest one is damaged: a copy goes to `quarantine/`, and what is good of it takes
  /// its place. Answers what was done, a line each.
  [[nodiscard]] queue::result<std::vector<std::string>> salvage();
  /// Puts an excerpt without records where `before` is needed and gone.
  [[nodiscard]] queue::result<void> make_empty(std::uint32_t before);

  [[nodiscard]] queue::result<void> for_each(std::uint32_t before,
                                             const queue::ExcerptReader::Visit& visit);

  struct Making {
    Checkpoint checkpoint;             ///< at or behind `before`: it knows what lives
    std::uint32_t carried_before = 0;  ///< the excerpt that this one replaces; 0: none
    std::uint32_t oldest = 0;          ///< the journal's first file
    std::uint32_t before = 0;          ///< carry up to this file, which is in use
    Pace pace;
    /// Asked before the excerpt gets its name: whether so many messages are all that live there.
    std::function<bool(std::uint64_t)> is_complete;
  };
  /// Reads back what it has written: only then the originals may go.
  [[nodiscard]] queue::result<CarriedFile> make(const Making& making);

  /// Removes all but the one before `kept`, and what a crash left in making. With 0: all.
  [[nodiscard]] queue::result<void> remove_all_but(std::uint32_t kept);

 private:
  [[nodiscard]] queue::result<SequenceSet> live_before(const Making& making);
  [[nodiscard]] queue::result<queue::ExcerptWriter> start_writer(std::uint32_t before);
  [[nodiscard]] queue::result<void> carry(const Making& making, const SequenceSet& live,
                                          queue::ExcerptWriter& writer, std::uint64_t& messages);
  [[nodiscard]] bool reads_back(const CarriedFile& made);
  [[nodiscard]] queue::result<std::vector<std::string>> salvage_octets(std::uint32_t before);

  queue::FileSystem& files_;
  const std::filesystem::path journal_;
};

}  // namespace stentor::daemon
