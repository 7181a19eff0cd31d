#include "daemon/recovery/checkpoint_files.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "daemon/recovery/condenser.h"
#include "queue/excerpt_writer.h"
#include "queue/first_block.h"
#include "queue/journal_format.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {
namespace {

constexpr std::string_view kPurpose = "checkpoint";
constexpr std::string_view kMaking = ".making";
constexpr std::size_t kKept = 2;  // the newest, and one to fall back on
constexpr std::size_t kReaderOctets = 4u << 20;

std::vector<std::uint32_t> numbers_of(const std::vector<std::string>& names, bool is_journal) {
  std::vector<std::uint32_t> numbers;
  for (const std::string& name : names) {
    const auto number =
        is_journal ? queue::file_number(name) : queue::excerpt_before(kPurpose, name);
    if (number) numbers.push_back(*number);
  }
  std::ranges::sort(numbers, std::greater{});
  return numbers;
}

std::error_code stopped() {
  return std::make_error_code(std::errc::operation_canceled);
}

// Every record of a stretch of journal, in order; damage ends it.
queue::result<void> for_each_record(queue::FileSystem& files, const std::filesystem::path& journal,
                                    std::uint32_t from, std::uint32_t before,
                                    const std::function<bool(std::uint64_t)>& pace,
                                    const queue::ExcerptReader::Visit& visit) {
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
    if (!pace((*record)->payload.size())) return std::unexpected(stopped());
    if (auto visited = visit(**record); !visited) return visited;
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

}  // namespace

std::optional<Checkpoint> CheckpointFiles::find_newest() {
  const auto names = files_.list(journal_);
  if (!names) return std::nullopt;
  const auto journal = numbers_of(*names, true);
  if (journal.empty()) return std::nullopt;
  for (const std::uint32_t before : numbers_of(*names, false)) {
    if (before < journal.back()) continue;  // files between it and the journal's first are gone
    const auto path = journal_ / queue::excerpt_name(kPurpose, before);
    auto reader = queue::ExcerptReader::open(files_, path);
    if (!reader && reader.error() == queue::JournalError::newer_version && !newer_) {
      newer_ = look_at_newer(files_, path, queue::kExcerptVersion);
    }
    if (!reader || reader->header().before != before) continue;
    const auto first = queue::read_first_block(files_, journal_, before);
    if (!first || first->previous_check != reader->header().chain_check) continue;
    if (!reader->verify()) continue;
    return Checkpoint{
        .before = before, .chain_check = reader->header().chain_check, .octets = reader->octets()};
  }
  return std::nullopt;
}

queue::result<void> CheckpointFiles::for_each(const Checkpoint& checkpoint,
                                              const queue::ExcerptReader::Visit& visit) {
  auto reader = queue::ExcerptReader::open(
      files_, journal_ / queue::excerpt_name(kPurpose, checkpoint.before));
  if (!reader) return std::unexpected(reader.error());
  return reader->for_each(visit);
}

queue::result<Checkpoint> CheckpointFiles::make(const Making& making) {
  const auto first = queue::read_first_block(files_, journal_, making.before);
  if (!first) return std::unexpected(first.error());
  const std::uint32_t from = making.previous ? making.previous->before : making.oldest;

  Condenser condenser(making.now_ms, making.guard_ms, making.oldest, making.references_from);
  auto surveyed = for_each_record(files_, journal_, from, making.before, making.pace,
                                  [&condenser](const queue::Record& record) {
                                    condenser.survey(record);
                                    return queue::result<void>{};
                                  });
  if (!surveyed) return std::unexpected(surveyed.error());

  auto writer =
      queue::ExcerptWriter::start(files_, journal_, queue::excerpt_name(kPurpose, making.before),
                                  {.before = making.before, .chain_check = first->previous_check});
  if (!writer) return std::unexpected(writer.error());
  const auto sink = [&writer](const queue::Record& record) { return writer->add(record); };
  if (auto begun = for_each_of_preamble(files_, journal_, making.before, sink); !begun) {
    return std::unexpected(begun.error());
  }
  if (making.previous) {
    auto carried = for_each(*making.previous, [&](const queue::Record& record) {
      if (!making.pace(record.payload.size())) {
        return queue::result<void>(std::unexpected(stopped()));
      }
      return condenser.carry(record, sink);
    });
    if (!carried) return std::unexpected(carried.error());
  }
  auto carried =
      for_each_record(files_, journal_, from, making.before, making.pace,
                      [&](const queue::Record& record) { return condenser.carry(record, sink); });
  if (carried) carried = condenser.end(sink);
  if (!carried) return std::unexpected(carried.error());
  if (!making.is_still_true()) return std::unexpected(stopped());
  if (auto finished = writer->finish(); !finished) return std::unexpected(finished.error());
  return Checkpoint{
      .before = making.before, .chain_check = first->previous_check, .octets = writer->octets()};
}

queue::result<void> CheckpointFiles::remove_old() {
  return remove_but(kKept);
}

queue::result<void> CheckpointFiles::remove_but(std::size_t kept) {
  const auto names = files_.list(journal_);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!name.starts_with(kPurpose) || !name.ends_with(kMaking)) continue;
    if (auto removed = files_.remove(journal_ / name); !removed) return removed;
  }
  const auto numbers = numbers_of(*names, false);
  for (std::size_t i = kept; i < numbers.size(); ++i) {
    if (auto removed = files_.remove(journal_ / queue::excerpt_name(kPurpose, numbers[i]));
        !removed) {
      return removed;
    }
  }
  return {};
}

}  // namespace stentor::daemon
