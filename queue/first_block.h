// The first block of a journal file: which journal it belongs to, and that it is in use.
//
// Units    Octets.
// Errors   no_such_record where the file has no good first block; newer_version; errno.
// Threads  Pure but for the reading; beside a running writer too.
#pragma once

#include <cstdint>
#include <filesystem>

#include "queue/error.h"
#include "queue/file_system.h"
#include "queue/journal_format.h"

namespace stentor::queue {

[[nodiscard]] result<BlockHeader> read_first_block(FileSystem& files,
                                                   const std::filesystem::path& directory,
                                                   std::uint32_t number);

}  // namespace stentor::queue
