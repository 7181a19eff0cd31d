#include "daemon/recovery/checkpoint_files.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "daemon/recovery/condenser.h"
#include "daemon/recovery/journal_stretch.h"
#include "queue/carried_excerpt.h"
#include "queue/excerpt_writer.h"
#include "queue/first_block.h"
#include "queue/journal_format.h"
#include "queue/quarantine.h"

namespace stentor::daemon {
namespace {

constexpr std::string_view kDistrusted = "history-damaged";
constexpr std::string_view kPurpose = "checkpoint";
constexpr std::string_view kMaking = ".making";
constexpr std::size_t kKept = 2;  // the newest, and one to fall back on

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
  const std::uint32_t from = making.from();
  if (const auto begins = begins_with(from); !begins) {
    // It may have been dropped since it was chosen.
    return std::unexpected(making.is_still_true() ? begins.error() : ended_by_pace());
  }

  Condenser condenser(making.now_ms, making.guard_ms, making.oldest, making.references_from,
                      making.carried_before != 0);
  auto surveyed = for_each_of_base(making, [&condenser](const queue::Record& record) {
    condenser.survey_previous(record);
    return queue::result<void>{};
  });
  if (!surveyed) return std::unexpected(surveyed.error());
  surveyed = for_each_record(files_, journal_, from, making.before, making.pace,
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
  auto based = for_each_of_base(
      making, [&](const queue::Record& record) { return condenser.carry(record, sink); });
  if (!based) return std::unexpected(based.error());
  auto carried =
      for_each_record(files_, journal_, from, making.before, making.pace,
                      [&](const queue::Record& record) { return condenser.carry(record, sink); });
  if (carried) carried = condenser.end(sink);
  if (!carried) return std::unexpected(carried.error());
  if (!making.is_still_true()) return std::unexpected(ended_by_pace());
  if (auto finished = writer->finish(); !finished) return std::unexpected(finished.error());
  return Checkpoint{
      .before = making.before, .chain_check = first->previous_check, .octets = writer->octets()};
}

// The journal still has file `from`, or has it in quarantine: what is condensed begins there.
queue::result<void> CheckpointFiles::begins_with(std::uint32_t from) {
  const auto names = files_.list(journal_);
  if (!names) return std::unexpected(names.error());
  if (std::ranges::find(*names, queue::file_name(from)) != names->end()) return {};
  queue::Quarantine quarantine(files_, journal_);
  if (auto loaded = quarantine.load(); !loaded) return loaded;
  if (quarantine.has_whole(from)) return {};
  return std::unexpected(make_error_code(queue::JournalError::damaged));
}

// What stands for the files before from(): the checkpoint before; else the carried excerpt, for
// those that are gone; else nothing.
queue::result<void> CheckpointFiles::for_each_of_base(const Making& making,
                                                      const queue::ExcerptReader::Visit& visit) {
  const auto at_pace = paced(making.pace, visit);
  if (making.previous) return for_each(*making.previous, at_pace);
  if (making.carried_before == 0) return {};
  auto reader = queue::open_carried(files_, journal_, making.carried_before);
  if (!reader) return std::unexpected(reader.error());
  return reader->for_each([&](const queue::Record& record) {
    return record.at.file() < making.oldest ? at_pace(record) : queue::result<void>{};
  });
}

queue::result<void> CheckpointFiles::remove_old() {
  return remove_but(kKept);
}

queue::result<void> CheckpointFiles::remove_all() {
  if (auto removed = remove_but(0); !removed) return removed;
  return are_distrusted() ? trust_again() : queue::result<void>{};
}

queue::result<void> CheckpointFiles::distrust() {
  auto mark = files_.open(journal_ / kDistrusted, queue::FileSystem::Mode::create);
  if (!mark) return std::unexpected(mark.error());
  if (auto synced = (*mark)->sync(); !synced) return synced;
  return files_.sync_directory(journal_);
}

bool CheckpointFiles::are_distrusted() {
  return files_.open(journal_ / kDistrusted, queue::FileSystem::Mode::read).has_value();
}

queue::result<void> CheckpointFiles::trust_again() {
  return files_.remove(journal_ / kDistrusted);
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
