// How a start reads the journal's directory: which checkpoint or carried excerpt it begins with,
// then the journal files behind, all shown to the state machine that rebuilds what was known.
//
// Errors   Words that name the file at fault: the journal refuses to start. With salvage, damage is
//          set aside and listed instead.
// Threads  Runs alone, before any thread of the daemon.
// Spec     docs/journal.md, "Recovery", "Checkpoints" and "Carried excerpts"
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/commit/carry_desk.h"
#include "daemon/newer_file.h"
#include "daemon/recovery/checkpoint_files.h"
#include "daemon/recovery/lost_messages.h"
#include "daemon/recovery/replay.h"
#include "queue/file_system.h"
#include "queue/journal_recovery.h"

namespace stentor::daemon {

struct JournalStart {
  queue::Recovered recovered;
  std::optional<Checkpoint> checkpoint;  ///< what it began with
  CarriedUse carried;
  std::optional<NewerFile> newer_checkpoint;  ///< passed over
  std::vector<std::string> set_aside;         ///< with salvage: a line each
};

struct JournalStartOptions {
  bool salvage = false;
  /// Salvage never does: it would hide damage in what it stands for. Nor does a start behind one
  /// that was found to be damaged.
  bool uses_checkpoint = true;
  /// Called when the checkpoint's records have been shown, and before the journal's.
  std::function<void()> on_checkpoint = [] {};
};

/// Shows everything to `replay` and finishes it; to `lost`, where given, what salvaging has left.
[[nodiscard]] std::expected<JournalStart, std::string> start_from_journal(
    queue::FileSystem& files, const std::filesystem::path& journal,
    const JournalStartOptions& options, Replay& replay, LostMessages* lost = nullptr);

}  // namespace stentor::daemon
