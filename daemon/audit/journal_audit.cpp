#include "daemon/audit/journal_audit.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "daemon/records/carried_records.h"
#include "queue/carried_excerpt.h"
#include "queue/excerpt_reader.h"
#include "queue/first_block.h"
#include "queue/journal_recovery.h"
#include "queue/quarantine.h"

namespace stentor::daemon {
namespace {

constexpr std::string_view kCheckpoint = "checkpoint";

std::vector<std::uint32_t> checkpoints_of(queue::FileSystem& files,
                                          const std::filesystem::path& journal) {
  std::vector<std::uint32_t> numbers;
  const auto names = files.list(journal);
  if (!names) return numbers;  // the walk over the same directory says why
  for (const std::string& name : *names) {
    if (const auto before = queue::excerpt_before(kCheckpoint, name)) numbers.push_back(*before);
  }
  std::ranges::sort(numbers);
  return numbers;
}

// Shows a checkpoint to the audit, which has seen the journal up to its place. Answers why not, if
// a start would pass it over; nothing where it is gone.
std::optional<std::string> compare(queue::FileSystem& files, const std::filesystem::path& journal,
                                   std::uint32_t before, LedgerAudit& audit) {
  const std::string name = queue::excerpt_name(kCheckpoint, before);
  auto reader = queue::ExcerptReader::open(files, journal / name);
  if (!reader) {
    if (reader.error() == std::errc::no_such_file_or_directory) return std::nullopt;
    return fmt::format("{}: {}", name, reader.error().message());
  }
  const auto first = queue::read_first_block(files, journal, before);
  if (!first || first->previous_check != reader->header().chain_check ||
      reader->header().before != before) {
    return fmt::format("{}: belongs to another journal", name);
  }
  if (const auto whole = reader->verify(); !whole) {
    return fmt::format("{}: {}", name, whole.error().message());
  }
  const auto read = reader->for_each([&](const queue::Record& record) {
    audit.visit_checkpoint(record, name);
    return queue::result<void>{};
  });
  if (!read) return fmt::format("{}: {}", name, read.error().message());
  audit.end_checkpoint(name);
  return std::nullopt;
}

// Shows the audit what was carried out of files before `first_file`. Called when the journal's
// files are open: an excerpt that is looked for now reaches to the first of them, whatever has gone
// since.
std::expected<void, std::string> read_carried(queue::FileSystem& files,
                                              const std::filesystem::path& journal,
                                              std::uint32_t first_file, LedgerAudit& audit,
                                              JournalAudit& result) {
  const auto carried = queue::list_carried(files, journal);
  if (!carried) return std::unexpected(journal.string() + ": " + carried.error().message());
  // One that ends before the first file is left over.
  if (carried->empty() || carried->front() < first_file) return {};
  auto reader = queue::open_carried(files, journal, carried->front());
  queue::result<void> read;
  if (reader) {
    read = reader->for_each([&](const queue::Record& record) {
      if (record.at.file() >= first_file) return queue::result<void>{};
      if (static_cast<RecordKind>(record.kind) == RecordKind::accepted) ++result.carried_messages;
      audit.visit_carried(record);
      return queue::result<void>{};
    });
  }
  const std::error_code why = !reader ? reader.error() : !read ? read.error() : std::error_code();
  if (why) return std::unexpected(queue::carried_name(carried->front()) + ": " + why.message());
  result.carried_before = carried->front();
  return {};
}

}  // namespace

std::expected<JournalAudit, std::string> audit_journal(queue::FileSystem& files,
                                                       const std::filesystem::path& journal,
                                                       const JournalAuditOptions& options) {
  JournalAudit result;
  queue::Quarantine set_aside(files, journal);
  if (const auto loaded = set_aside.load(); !loaded) {
    return std::unexpected(
        fmt::format("{}: {}", (journal / "quarantine").string(), loaded.error().message()));
  }
  LedgerAudit audit(options.findings_max, &set_aside);
  const std::vector<std::uint32_t> checkpoints = checkpoints_of(files, journal);
  auto next = checkpoints.begin();
  std::expected<void, std::string> carried;
  std::uint32_t carried_needed = 0;  // what the journal says of it last
  const auto visit = [&](const queue::Record& record) {
    const std::uint32_t file = record.at.file();
    if (result.first_file == 0) {
      result.first_file = file;
      carried = read_carried(files, journal, file, audit, result);
    }
    if (record.kind == kCarriedRecord) {
      if (const auto said = decode_carried(record.payload)) carried_needed = said->before;
    }
    // One that stands for files which are gone says nothing that could be compared.
    for (; next != checkpoints.end() && *next <= file; ++next) {
      if (*next < file || file == result.first_file) continue;
      if (auto why = compare(files, journal, *next, audit)) result.notes.push_back(*why);
    }
    result.last_file = file;
    audit.visit(record);
  };
  auto recovered = queue::recover(files, journal,
                                  {.read_only = true, .to_watermark = options.to_watermark}, visit);
  if (!recovered) return std::unexpected(std::move(recovered.error().detail));
  if (!carried) return std::unexpected(std::move(carried.error()));
  if (carried_needed > result.carried_before) {
    return std::unexpected(queue::carried_name(carried_needed) + ": the file is missing");
  }
  result.octets = recovered->octets;
  result.stretches_set_aside = set_aside.stretches();
  result.ledger = audit.finish();
  return result;
}

bool is_journal_in_use(const std::filesystem::path& journal) {
  struct stat found{};
  if (::stat(journal.c_str(), &found) != 0) return false;
  const std::string place =
      fmt::format(" {:02x}:{:02x}:{} ", major(found.st_dev), minor(found.st_dev), found.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    if (line.contains(" FLOCK ") && line.contains(place) && !line.contains("->")) return true;
  }
  return false;
}

}  // namespace stentor::daemon
