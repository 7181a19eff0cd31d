// Audits a journal directory, whether a daemon writes it or not: every block is verified, every
// record is shown to the ledger's audit, behind those that were carried out of files which are
// gone, and every checkpoint is held against what the journal said at its place.
//
// Beside a running daemon the journal is read up to the durable watermark; else to its end. No lock
// is taken and nothing is written. Files that retention drops meanwhile keep their disk space until
// the audit ends.
//
// Owns     What LedgerAudit owns, a window of 1 MiB for reading, an open file for each of the
//          journal's.
// Errors   A journal that cannot be read, or is damaged, or is of a newer format, or whose carried
//          excerpt is damaged or missing: one line that names the file, and the offset.
// Threads  One thread.
// Spec     docs/journal.md, "Audit"
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/audit/ledger_audit.h"
#include "queue/file_system.h"

namespace stentor::daemon {

struct JournalAuditOptions {
  std::size_t findings_max = 1000;
  bool to_watermark = false;  ///< a daemon is writing
};

struct JournalAudit {
  LedgerReport ledger;
  std::uint32_t first_file = 0;  ///< 0: the journal is empty
  std::uint32_t last_file = 0;
  std::uint64_t octets = 0;
  std::uint32_t carried_before = 0;       ///< the excerpt that was read; 0: none
  std::uint64_t carried_messages = 0;     ///< of files that are gone
  std::uint64_t stretches_set_aside = 0;  ///< by --salvage: what they held is in no count
  std::vector<std::string> notes;         ///< checkpoints that a start would pass over
};

[[nodiscard]] std::expected<JournalAudit, std::string> audit_journal(
    queue::FileSystem& files, const std::filesystem::path& journal,
    const JournalAuditOptions& options);

/// Whether a process holds the directory's lock, asked of the kernel without touching it.
[[nodiscard]] bool is_journal_in_use(const std::filesystem::path& journal);

}  // namespace stentor::daemon
