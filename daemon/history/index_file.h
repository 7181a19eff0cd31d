// The index of one sealed journal file: where its records about a message lie, and where names are.
//
// Layout, little-endian: 64 octets of header (magic, version, journal file, its epoch, counts,
// check); the entries by sequence, sorted; the entries by name, sorted; the granules (for each 256
// sequences that occur, where their entries begin); the fences (the first key of each 256 names).
// Granules and fences stay in memory: some 20 KB a file, so that most files are ruled out without
// a read and the others take one of 4 to 16 KiB.
//
// Units    Entries of 16 octets.
// Owns     Its open file.
// Errors   errno from the file system; damaged where it does not verify, or is another file's;
//          newer_version.
// Threads  One thread.
// Spec     docs/journal.md, "The index for histories"
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "daemon/history/index_entries.h"
#include "daemon/history/name_table.h"
#include "queue/file_system.h"

namespace stentor::daemon {

class IndexFile {
 public:
  /// Sorts and writes both lists, durably, under its final name only when whole.
  [[nodiscard]] static queue::result<void> write(queue::FileSystem& files,
                                                 const std::filesystem::path& path,
                                                 std::uint32_t journal_file, std::uint64_t epoch,
                                                 std::vector<IndexEntry>& sequences,
                                                 std::vector<IndexEntry>& names);
  [[nodiscard]] static queue::result<IndexFile> open(queue::FileSystem& files,
                                                     const std::filesystem::path& path,
                                                     std::uint32_t journal_file,
                                                     std::uint64_t epoch);

  /// Appends the places of records that speak of `sequence`, in order.
  void find_sequence(std::uint64_t sequence, std::vector<std::uint64_t>& places);
  /// Appends the places of records that have the name `key`, in order.
  void find_name(std::uint64_t key, std::vector<std::uint64_t>& places) {
    names_.find(*file_, key, places);
  }

  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  /// For who merges names of several files.
  [[nodiscard]] queue::File& file() noexcept { return *file_; }
  [[nodiscard]] NameTable& names() noexcept { return names_; }

  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::uint64_t kGranule = 256;

 private:
  struct Granule {
    std::uint64_t number;  // sequence / kGranule
    std::uint64_t first;   // index of its first entry
  };
  [[nodiscard]] bool read(std::uint64_t offset, std::size_t first, std::size_t count);

  std::unique_ptr<queue::File> file_;
  std::uint64_t epoch_ = 0;
  std::size_t sequences_ = 0;
  std::vector<Granule> granules_;
  NameTable names_;
  std::vector<IndexEntry> page_;
};

}  // namespace stentor::daemon
