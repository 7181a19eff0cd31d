// A file system that passes a failpoint at each step of the daemon's files.
//
// A step is "<kind>.<operation>.<before|after>": the kind follows from the file's name, save that
// what is done to the journal before failpoints_recovered() is called "recovery". A commit has two
// more: "half", when only the first half of its octets is written, and "unsynced", when all are but
// nothing is synced. A directory's sync belongs to the kind of file that its thread touched last.
//
// Owns     The file system behind it.
// Threads  As FileSystem.
#pragma once

#include <memory>

#include "queue/file_system.h"

namespace stentor::daemon {

/// `files` itself where no step of a file is armed.
[[nodiscard]] std::unique_ptr<queue::FileSystem> with_failpoints(
    std::unique_ptr<queue::FileSystem> files);

/// The journal is read: what is done to it from now on is the writer's.
void failpoints_recovered() noexcept;

}  // namespace stentor::daemon
