// The names of several neighbouring journal files in one sorted file, and the making of it.
//
// Layout, little-endian: 64 octets of header (magic, version, first and last journal file, the
// epoch of the last, counts, check); the entries by name, sorted; the fences (the first key of each
// 256 names), which stay in memory.
//
// Units    Entries of 16 octets.
// Owns     Its open file.
// Errors   errno from the file system; a run that does not verify is none (nullopt).
// Threads  One thread.
// Spec     docs/journal.md, "The index for histories"
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/history/name_table.h"

namespace stentor::daemon {

/// Which journal files, both ends included, and the epoch of the last: a file is only ever followed
/// by another when it is whole, so that it stands for those before it.
struct NameSpan {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint64_t epoch = 0;

  [[nodiscard]] std::uint32_t files() const noexcept { return to - from + 1; }
  [[nodiscard]] std::string file_name() const;
};

class NameRun {
 public:
  [[nodiscard]] static std::optional<NameRun> open(queue::FileSystem& files,
                                                   const std::filesystem::path& folder,
                                                   const NameSpan& span);
  [[nodiscard]] const NameSpan& span() const noexcept { return span_; }
  [[nodiscard]] queue::File& file() noexcept { return *file_; }
  [[nodiscard]] NameTable& names() noexcept { return names_; }

 private:
  NameSpan span_;
  std::unique_ptr<queue::File> file_;
  NameTable names_;
};

/// Merges sorted tables into a run, some at a time.
class NameMerge {
 public:
  struct Source {
    queue::File* file;  ///< both outlive the merge
    const NameTable* names;
  };
  NameMerge(queue::FileSystem& files, std::filesystem::path folder, const NameSpan& span,
            std::vector<Source> sources);
  ~NameMerge();
  NameMerge(const NameMerge&) = delete;
  NameMerge& operator=(const NameMerge&) = delete;

  /// Takes in up to `max` more entries; true when the run is whole and durable.
  [[nodiscard]] queue::result<bool> go_on(std::size_t max);
  [[nodiscard]] const NameSpan& span() const noexcept { return span_; }

 private:
  struct Head {  // of what is left of a source
    IndexEntry entry;
    std::size_t source;
  };
  struct Input {
    Source from;
    std::size_t next = 0;  ///< number of the first entry behind `page`
    std::vector<IndexEntry> page;
    std::size_t taken = 0;  ///< of `page`
  };
  [[nodiscard]] queue::result<void> refill(std::size_t source);
  [[nodiscard]] queue::result<void> begin();
  [[nodiscard]] queue::result<void> flush();
  [[nodiscard]] queue::result<void> finish();

  queue::FileSystem& files_;
  const std::filesystem::path folder_;
  const NameSpan span_;
  std::vector<Input> inputs_;
  std::vector<Head> heads_;  // a heap, the smallest first
  std::unique_ptr<queue::File> file_;
  std::vector<IndexEntry> out_;
  std::vector<std::uint64_t> fences_;
  std::uint64_t written_ = 0;   // entries
  std::uint64_t unsynced_ = 0;  // octets
  bool is_whole_ = false;
};

}  // namespace stentor::daemon
