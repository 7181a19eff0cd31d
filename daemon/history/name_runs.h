// The names of all sealed journal files in few tables, so that a question costs few reads: sixteen
// neighbours of one size are merged into one, up to 256 files in a run.
//
// A thousand journal files are some forty tables then: a read each. The index files keep their
// names, from which a run can be made again; nothing depends on one but the time of a question.
//
// Owns     The open runs and the merge that is under way.
// Errors   A merge that cannot go on, on a full disk say, is begun anew a while later.
// Threads  One thread.
// Spec     docs/journal.md, "The index for histories"
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/history/index_file.h"
#include "daemon/history/name_run.h"

namespace stentor::daemon {

using SealedIndexes = std::map<std::uint32_t, IndexFile>;  ///< by journal file

class NameRuns {
 public:
  NameRuns(queue::FileSystem& files, std::filesystem::path folder)
      : files_(files), folder_(std::move(folder)) {}

  /// Takes in the runs that are there about these files, and removes what is none.
  void open(SealedIndexes& sealed);
  /// Merges up to `entries_max` names further, if anything is to be merged; false when nothing is.
  bool merge_some(SealedIndexes& sealed, std::size_t entries_max);
  /// Before index files are forgotten.
  void forget_before(std::uint32_t oldest);

  /// Places of what has the name, table by table, the newest first; until `is_enough`.
  using Places = std::vector<std::uint64_t>;
  void visit(SealedIndexes& sealed, std::uint64_t key,
             const std::function<bool(Places&)>& is_enough);

  [[nodiscard]] std::size_t size() const noexcept { return runs_.size(); }

  static constexpr std::size_t kNeighbours = 16;
  static constexpr std::uint32_t kFilesMax = 256;  ///< goes when its last file does: 16 GiB later

 private:
  using Runs = std::map<std::uint32_t, NameRun>;  // by their last file
  /// One table: a run, or the names of one file.
  struct Table {
    NameSpan span;
    NameMerge::Source source;
  };
  [[nodiscard]] std::vector<Table> tables(SealedIndexes& sealed);
  [[nodiscard]] bool begin(SealedIndexes& sealed);
  void adopt(NameRun run, SealedIndexes& sealed);

  queue::FileSystem& files_;
  const std::filesystem::path folder_;
  Runs runs_;
  std::unique_ptr<NameMerge> merge_;
  std::size_t pause_ = 0;        // calls, after one that failed
  std::uint32_t looked_at_ = 0;  // the newest file when there was nothing to merge
};

}  // namespace stentor::daemon
