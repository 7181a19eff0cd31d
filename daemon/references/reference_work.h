// What is done to the files of references, a job at a time: a table is written, runs are merged, a
// run that is lost is made again from the journal.
//
// Units    Entries; milliseconds of Unix time.
// Owns     Nothing beyond a call.
// Errors   Of the file system; damaged where a run that is merged does not verify. What was there
//          before stays then.
// Threads  Any, one job at a time.
// Spec     docs/journal.md, "References"
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "daemon/references/reference_run.h"
#include "daemon/references/reference_table.h"

namespace stentor::daemon {

/// Keyed, because the client chooses its references.
[[nodiscard]] std::uint64_t reference_key(std::uint64_t seed, std::string_view client,
                                          std::string_view ref) noexcept;

struct ReferencePlaces {
  queue::FileSystem& files;
  std::filesystem::path folder;
  std::filesystem::path journal;
  std::uint64_t seed = 0;
};

[[nodiscard]] queue::result<ReferenceRun> write_table(const ReferencePlaces& places,
                                                      const ReferenceTable& table,
                                                      const ReferenceSpan& span);

/// One run out of neighbours, oldest first; of equal keys the newest stays. Removes the neighbours.
[[nodiscard]] queue::result<ReferenceRun> merge_runs(const ReferencePlaces& places,
                                                     const std::vector<ReferenceSpan>& spans);

/// Those of them that do not verify from end to end.
[[nodiscard]] std::vector<ReferenceSpan> runs_not_whole(const ReferencePlaces& places,
                                                        const std::vector<ReferenceSpan>& spans);

struct Rebuilt {
  std::vector<ReferenceRun> runs;
  std::uint64_t blocks_bad = 0;  ///< of the journal: what they said is lost
};
/// The runs of a stretch out of the journal's accepted records, each of at most `entries_max`.
[[nodiscard]] queue::result<Rebuilt> rebuild_runs(const ReferencePlaces& places,
                                                  const ReferenceSpan& span,
                                                  std::uint64_t entries_max);

/// While a run is written its filter is in memory, whatever the load: 48 MiB, and twice that for a
/// moment when it is done.
inline constexpr std::uint64_t kRunEntriesMax = 1u << 25;

/// Which neighbours are to become one: `runs` oldest first; none when empty. Runs grow eightfold
/// until they span an eighth of `guard_ms`, so that one that has outlived the guard does not wait
/// long for its newest reference, or until another would bring them beyond `entries_max`. So there
/// are some thirty, and one more for each 17 to 33 million references within the guard.
[[nodiscard]] std::vector<ReferenceSpan> runs_to_merge(const std::vector<ReferenceRun>& runs,
                                                       std::uint64_t guard_ms,
                                                       std::uint64_t entries_max);

}  // namespace stentor::daemon
