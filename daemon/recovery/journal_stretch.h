// Reads a stretch of sealed journal files, beside the writer.
//
// Units    Octets.
// Errors   damaged where a block does not verify, where a block or a file is missing that is not in
//          quarantine, or a preamble; operation_canceled where the pace ends it; what the visitor
//          fails with; errno.
// Threads  Any, one at a time for each call.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "queue/error.h"
#include "queue/excerpt_reader.h"
#include "queue/file_system.h"

namespace stentor::daemon {

/// Called between records with the octets moved since the last call: pauses, or ends the work by
/// false.
using Pace = std::function<bool(std::uint64_t)>;

[[nodiscard]] inline bool unpaced(std::uint64_t) {
  return true;
}
[[nodiscard]] std::error_code ended_by_pace();
/// Visits at a pace, which outlives it.
[[nodiscard]] queue::ExcerptReader::Visit paced(const Pace& pace,
                                                queue::ExcerptReader::Visit visit);

/// Every record of the files from `from` up to `before`, in order. The last block must be the one
/// that file `before` follows. Files that were dropped at the front are not missed.
[[nodiscard]] queue::result<void> for_each_record(queue::FileSystem& files,
                                                  const std::filesystem::path& journal,
                                                  std::uint32_t from, std::uint32_t before,
                                                  const Pace& pace,
                                                  const queue::ExcerptReader::Visit& visit);

/// What a file begins with: the totals, and the standing of all that each file repeats.
[[nodiscard]] queue::result<void> for_each_of_preamble(queue::FileSystem& files,
                                                       const std::filesystem::path& journal,
                                                       std::uint32_t file,
                                                       const queue::ExcerptReader::Visit& visit);

}  // namespace stentor::daemon
