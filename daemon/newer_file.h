// A file of ours that a later version of this program wrote, met after a step back to this one.
//
// Every format of ours says its version in the four octets behind its eight octets of magic, for
// good: that is what an older program can tell of it.
//
// Units    `version` counts within the file's own format.
// Errors   A file that cannot be read says version 0.
// Threads  Plain values.
// Spec     docs/journal.md, "After a step back"
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "queue/file_system.h"

namespace stentor::daemon {

struct NewerFile {
  std::string name;
  std::uint32_t version = 0;
  std::uint32_t known = 0;  ///< the latest that this program reads
};

/// What is to be said of the file at `path`, which did not open for its version.
[[nodiscard]] NewerFile look_at_newer(queue::FileSystem& files, const std::filesystem::path& path,
                                      std::uint32_t known);
/// "checkpoint-00000017.stx: format 2, while this program knows up to 1".
[[nodiscard]] std::string to_string(const NewerFile& file);

}  // namespace stentor::daemon
