// Appends commit blocks to the journal: the only code that makes anything durable.
//
// Units    Octets.
// Owns     The open file, and the next one prepared ahead in the background. The directory's lock
//          stays with whoever recovered the journal.
// Errors   A failed write or sync poisons the writer: every later commit() answers `poisoned`, and
//          the failed batches must be treated as unknown. disk_full (before anything was written)
//          poisons nothing: the same batches may be offered again. numbers_used_up, from start()
//          and commit(): nothing was written and nothing more can be.
// Threads  One thread owns a writer. Files are prepared on a thread of its own.
// Spec     docs/journal.md says the format to the octet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "queue/error.h"
#include "queue/file_system.h"
#include "queue/locator.h"
#include "queue/record_batch.h"

namespace stentor::queue {

struct JournalOptions {
  std::filesystem::path directory{};
  /// The largest size a file is preallocated and zeroed to. The first one is small (4 MiB) and
  /// later ones grow with the load, so that a quiet journal does not take a busy one's space.
  std::uint32_t file_octets = 128u << 20;
  /// With less disk space left no new file is prepared, save the one that start() needs.
  std::uint64_t free_octets_min = 0;
  bool prepares_in_background = true;           ///< false: on the caller's thread, for tests
  std::function<std::uint64_t()> make_epoch{};  ///< left empty: the kernel's random numbers
};

/// Where recovery left the journal, and what a new file of it must be told.
struct JournalEnd {
  std::uint32_t file = 0;       ///< highest number in use; 0 in an empty directory
  std::uint32_t block_crc = 0;  ///< of the last good block, chained into the next file's header
};

struct JournalStats {
  std::uint64_t commits = 0;
  std::uint64_t octets = 0;  ///< written in blocks, headers and padding included
  std::uint64_t files = 0;   ///< started by this writer
  std::uint64_t octets_on_disk = 0;
  std::uint32_t file = 0;  ///< number of the one in use; they end at kFileNumberMax
};

class JournalWriter {
 public:
  /// Fills the first block of each new file: the caller's totals, so that older files can go.
  /// `first_word` is the caller's own number, kept in the file header (stentor: the first accept
  /// sequence of the file).
  struct Preamble {
    std::uint64_t first_word = 0;
    RecordBatch records;
  };
  using MakePreamble = std::function<Preamble()>;

  /// Starts a new file after `end`. The directory must have been recovered and be locked by us.
  [[nodiscard]] static result<std::unique_ptr<JournalWriter>> start(FileSystem& files,
                                                                    JournalOptions options,
                                                                    JournalEnd end,
                                                                    MakePreamble make_preamble);
  virtual ~JournalWriter() = default;

  /// Writes all batches as one block (several where one would be over kBlockOctetsMax, but all in
  /// one file) and makes them durable; then each knows its base. All or none count as durable.
  /// Empty batches are passed over. too_large, and nothing written, when a batch does not fit a
  /// block or all of them do not fit a file.
  [[nodiscard]] virtual result<void> commit(std::span<RecordBatch* const> batches) = 0;

  /// Writes an empty block that carries the watermark, so that the newest commit gets a witness.
  /// Call within a second of the last commit; does nothing when there is nothing to witness.
  [[nodiscard]] virtual result<void> commit_watermark() = 0;

  /// The place behind the last durable record: readers may go up to here.
  [[nodiscard]] virtual Locator durable_end() const noexcept = 0;
  [[nodiscard]] virtual JournalStats stats() const noexcept = 0;
  /// Octets that can be committed for certain, in this file and the one ready behind it: with the
  /// disk full, who still accepts can keep what the outcomes of accepted messages will need. A next
  /// file that there was no space for is asked for again by commit_watermark().
  [[nodiscard]] virtual std::uint64_t room_octets() const = 0;

  /// Deletes the files before `file`, oldest first, in the background; they hold nothing anyone
  /// needs. Fails with what an earlier call ran into; its files are tried again.
  [[nodiscard]] virtual result<void> drop_before(std::uint32_t file) = 0;
};

}  // namespace stentor::queue
