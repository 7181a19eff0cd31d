#include "daemon/recovery/journal_stretch.h"

#include <utility>

#include "daemon/records/records.h"
#include "queue/journal_format.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {
namespace {

constexpr std::size_t kReaderOctets = 4u << 20;

}  // namespace

std::error_code ended_by_pace() {
  return std::make_error_code(std::errc::operation_canceled);
}

queue::ExcerptReader::Visit paced(const Pace& pace, queue::ExcerptReader::Visit visit) {
  return [&pace, visit = std::move(visit)](const queue::Record& record) -> queue::result<void> {
    if (!pace(record.payload.size())) return std::unexpected(ended_by_pace());
    return visit(record);
  };
}

// Every record of a stretch of journal, in order; damage ends it, and what is lost of it likewise.
queue::result<void> for_each_record(queue::FileSystem& files, const std::filesystem::path& journal,
                                    std::uint32_t from, std::uint32_t before, const Pace& pace,
                                    const queue::ExcerptReader::Visit& visit) {
  const auto at_pace = paced(pace, visit);
  queue::JournalReader reader(files, journal, {.blocks_octets_max = kReaderOctets});
  queue::Locator position(from, queue::kFirstBlock, 0);
  const queue::Locator end(before, queue::kFirstBlock, 0);
  while (true) {
    const auto record = reader.next(position, end);
    if (!record) return std::unexpected(record.error());
    if (reader.stats().blocks_bad > 0) {
      return std::unexpected(make_error_code(queue::JournalError::damaged));
    }
    if (!*record) return {};
    if (auto visited = at_pace(**record); !visited) return visited;
  }
}

// What a file begins with: the totals, and the standing of all that each file repeats.
queue::result<void> for_each_of_preamble(queue::FileSystem& files,
                                         const std::filesystem::path& journal, std::uint32_t file,
                                         const queue::ExcerptReader::Visit& visit) {
  queue::JournalReader reader(files, journal, {.blocks_octets_max = kReaderOctets});
  queue::Locator position(file, queue::kFirstBlock, 0);
  const queue::Locator end(file, queue::kFirstBlock + queue::kBlockAlignOctets, 0);
  bool has_totals = false;
  while (true) {
    const auto record = reader.next(position, end);
    if (!record) return std::unexpected(record.error());
    if (!*record) break;
    has_totals = has_totals || (*record)->kind == static_cast<std::uint8_t>(RecordKind::totals);
    if (auto visited = visit(**record); !visited) return visited;
  }
  if (has_totals) return {};
  return std::unexpected(make_error_code(queue::JournalError::damaged));
}

}  // namespace stentor::daemon
