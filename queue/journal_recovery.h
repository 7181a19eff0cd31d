// Reads a journal directory after a stop or a crash and leaves it fit to append to.
//
// Every block is checked (magic, epoch, number, chained CRC, CRC-32C). A torn tail is cut. A bad
// block that a later watermark vouches for is damage: recovery refuses and names file and offset,
// unless it may salvage; then the bad stretch is set aside in `quarantine/` and listed.
//
// Units    Octets.
// Errors   JournalError; `fault` names the file, the offset and what is wrong in words.
// Threads  Runs alone, before any writer or reader.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "queue/error.h"
#include "queue/file_system.h"
#include "queue/journal_writer.h"
#include "queue/record_batch.h"

namespace stentor::queue {

struct JournalFile {
  std::uint32_t number = 0;
  std::uint64_t first_word = 0;  ///< the caller's own number from the header
  std::uint64_t octets = 0;      ///< used by blocks
};

struct Recovered {
  std::unique_ptr<File> lock;  ///< keep it as long as the journal is in use; none if read_only
  JournalEnd end;
  std::uint32_t oldest_file = 0;   ///< 0: there is none
  std::vector<JournalFile> files;  ///< those that were read, oldest first
  std::uint64_t records = 0;
  std::uint64_t octets = 0;
  std::uint64_t torn_octets = 0;         ///< cut from the end of the last file
  std::vector<std::string> quarantined;  ///< with salvage: what was set aside, one line each
};

struct RecoveryFault {
  std::error_code code;
  std::string detail;  ///< "journal-00000017.stj: offset 4096: block checksum does not match"
};

struct RecoveryOptions {
  bool salvage = false;
  bool read_only = false;  ///< look, but lock, cut and write nothing (audit of a running daemon)
  /// With read_only: visits only what is known to be durable, not what may still be under way.
  bool to_watermark = false;
  /// Files before this one are there but neither read nor visited: a checkpoint stands for them.
  std::uint32_t first_file = 0;
};

/// Visits every record in order. Creates the directory (0700) when it is not there. When the last
/// file holds records that no watermark vouches for, it is copied, synced and put in its own place
/// before they are visited, since the page cache may show what the disk never got; places of
/// records stay as they were. On a fault, what was visited must be thrown away.
[[nodiscard]] std::expected<Recovered, RecoveryFault> recover(
    FileSystem& files, const std::filesystem::path& directory, RecoveryOptions options,
    const std::function<void(const Record&)>& visit);

}  // namespace stentor::queue
