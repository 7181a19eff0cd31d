#include "queue/journal_recovery.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "queue/block_reader.h"
#include "queue/journal_format.h"
#include "queue/quarantine.h"

namespace stentor::queue {
namespace {

// At most; and 4 MiB more while a large block is read.
constexpr std::size_t kRecoveryWindowOctets = 1u << 20;
constexpr std::uint64_t kCopyStepOctets = 1u << 20;

using Fault = RecoveryFault;
template <class T>
using Found = std::expected<T, Fault>;

std::unexpected<Fault> fault(std::error_code code, const std::string& what) {
  return std::unexpected(Fault{code, what + ": " + code.message()});
}

std::string place(std::uint32_t number, std::uint64_t offset) {
  return file_name(number) + ": offset " + std::to_string(offset);
}

std::unexpected<Fault> damage(std::uint32_t number, std::uint64_t offset, std::string_view words) {
  return std::unexpected(Fault{make_error_code(JournalError::damaged),
                               place(number, offset) + ": " + std::string(words)});
}

struct Source {
  std::uint32_t number = 0;
  std::unique_ptr<File> file{};
  std::uint64_t epoch = 0;
  std::size_t window_octets = kRecoveryWindowOctets;  // less where the file is smaller
  std::optional<BlockHeader> first{};                 // of block 1, when that verifies
};

/// Where walking a file's blocks has come to an end.
struct Walked {
  std::uint64_t end = kFirstBlock;
  std::optional<std::uint32_t> check;   // of the last block; unknown behind a stretch set aside
  std::uint64_t durable = kFirstBlock;  // the highest watermark seen
};

/// What the neighbours say of a file.
struct Neighbours {
  std::optional<std::uint32_t> check_before{};  // of the last block of the file before
  std::optional<std::uint32_t> check_at_end{};  // what the next file says of this one's last block
  bool has_next = false;                        // then this one has blocks, and all were durable
};

/// A block nobody vouches for yet.
struct Unwitnessed {
  std::uint64_t at = 0;
  std::uint64_t end = 0;
  bool is_needed = false;
};

bool all_records_read(std::span<const std::uint8_t> payload) {
  for (std::uint32_t offset = 0; offset < payload.size();) {
    const auto read = read_record(payload, offset);
    if (!read) return false;
    offset = read->next;
  }
  return true;
}

class Recovery {
 public:
  Recovery(FileSystem& files, const std::filesystem::path& directory, RecoveryOptions options,
           const std::function<void(const Record&)>& visit)
      : files_(files),
        directory_(directory),
        options_(options),
        visit_(visit),
        quarantine_(files, directory) {}

  [[nodiscard]] Found<Recovered> run();

 private:
  using OnBlock = std::function<void(std::uint64_t at, const BlockRead& block)>;

  [[nodiscard]] Found<void> open_directory();
  [[nodiscard]] Found<std::vector<Source>> open_files();
  [[nodiscard]] Found<std::optional<Source>> open_file(std::uint32_t number, bool is_first);
  [[nodiscard]] Found<void> note_gap(std::uint32_t missing);
  [[nodiscard]] Found<std::vector<Source>> pop_unused(std::vector<Source>& sources);
  [[nodiscard]] Found<void> remove_unused(const std::vector<Source>& unused);
  [[nodiscard]] Found<std::optional<std::uint32_t>> recover_file(
      Source& source, std::optional<std::uint32_t> check_before, const Source* next);
  [[nodiscard]] Found<Walked> settle_end(Source& source, std::optional<std::uint32_t> check_before);
  [[nodiscard]] Found<void> renew(Source& source, std::uint64_t tail, std::uint64_t end,
                                  bool has_records);
  [[nodiscard]] result<void> copy(Source& source, std::uint64_t end);
  [[nodiscard]] result<void> write_again(File& file, std::uint64_t tail, std::uint64_t end);
  [[nodiscard]] Found<Walked> walk(Source& source, const Neighbours& neighbours,
                                   std::uint64_t limit, const OnBlock& on_block);
  [[nodiscard]] Found<bool> is_vouched_for(BlockReader& reader, const Source& source,
                                           std::uint64_t at);
  [[nodiscard]] Found<void> set_aside(BlockReader& reader, Source& source, std::uint64_t at,
                                      std::uint32_t last_number, std::string_view words);

  FileSystem& files_;
  const std::filesystem::path& directory_;
  const RecoveryOptions options_;
  const std::function<void(const Record&)>& visit_;
  Quarantine quarantine_;
  Recovered recovered_;
};

Found<Recovered> Recovery::run() {
  if (auto opened = open_directory(); !opened) return std::unexpected(opened.error());
  auto sources = open_files();
  if (!sources) return std::unexpected(sources.error());
  const auto unused = pop_unused(*sources);
  if (!unused) return std::unexpected(unused.error());

  std::optional<std::uint32_t> check;
  for (std::size_t i = 0; i < sources->size(); ++i) {
    Source& source = (*sources)[i];
    const Source* next = i + 1 < sources->size() ? &(*sources)[i + 1] : nullptr;
    const bool follows = i > 0 && (*sources)[i - 1].number + 1 == source.number;
    const auto last = recover_file(source, follows ? check : std::nullopt, next);
    if (!last) return std::unexpected(last.error());
    check = *last;
    source.file.reset();
  }
  recovered_.end.file = std::max(recovered_.end.file, quarantine_.last_whole());

  // Only now: a file without blocks is taken away when all before it is known to be sound.
  if (!options_.read_only && !unused->empty()) {
    if (auto removed = remove_unused(*unused); !removed) return std::unexpected(removed.error());
  }
  return std::move(recovered_);
}

Found<void> Recovery::open_directory() {
  if (!options_.read_only) {
    if (const auto made = files_.make_directory(directory_); !made) {
      return fault(made.error(), directory_.string());
    }
    auto lock = files_.lock(directory_);
    if (!lock) return fault(lock.error(), directory_.string());
    recovered_.lock = std::move(*lock);
  }
  if (const auto loaded = quarantine_.load(); !loaded) {
    return fault(loaded.error(), (directory_ / "quarantine").string());
  }
  return {};
}

Found<std::vector<Source>> Recovery::open_files() {
  auto names = files_.list(directory_);
  if (!names) return fault(names.error(), directory_.string());
  std::ranges::sort(*names);
  std::vector<Source> sources;
  std::uint32_t expected = 0;
  for (const std::string& name : *names) {
    if (is_name_in_making(name) && !options_.read_only) {
      if (const auto removed = files_.remove(directory_ / name); !removed) {
        return fault(removed.error(), name);
      }
    }
    const auto number = file_number(name);
    if (!number) continue;
    for (; expected != 0 && expected < *number; ++expected) {
      if (quarantine_.has_whole(expected)) continue;
      if (auto noted = note_gap(expected); !noted) return std::unexpected(noted.error());
    }
    if (recovered_.oldest_file == 0) recovered_.oldest_file = *number;
    if (*number < options_.first_file) {
      expected = *number + 1;
      continue;
    }
    auto source = open_file(*number, sources.empty());
    if (!source) return std::unexpected(source.error());
    if (*source) sources.push_back(std::move(**source));
    if (!sources.empty()) expected = *number + 1;
  }
  return sources;
}

// Nothing where the file is set aside, or was dropped by the running daemon just now.
Found<std::optional<Source>> Recovery::open_file(std::uint32_t number, bool is_first) {
  const std::string name = file_name(number);
  Source source{.number = number};
  auto file = files_.open(directory_ / name,
                          options_.read_only ? FileSystem::Mode::read : FileSystem::Mode::write);
  if (!file) {
    if (options_.read_only && is_first && file.error() == std::errc::no_such_file_or_directory) {
      return std::nullopt;
    }
    return fault(file.error(), name);
  }
  source.file = std::move(*file);
  const auto octets = source.file->size();
  if (!octets) return fault(octets.error(), name);

  BlockReader reader(*source.file, kBlockAlignOctets);
  const auto head = reader.octets(0, kFileHeaderOctets);
  if (!head) return fault(head.error(), name);
  const FileHeaderRead header = decode_file_header(*head);
  if (header.fault == HeaderFault::newer) {
    return std::unexpected(Fault{make_error_code(JournalError::newer_version),
                                 name + ": format " + std::to_string(header.header.version) +
                                     ", while this program knows up to " +
                                     std::to_string(kFormatVersion)});
  }
  const bool is_ours = header.fault == HeaderFault::none && header.header.number == number;
  if (!is_ours) {
    const bool is_foreign = header.fault == HeaderFault::foreign;
    const std::string detail =
        place(number, 0) + ": " +
        (is_foreign                             ? "not the header of a journal file"
         : header.fault == HeaderFault::damaged ? "file header does not verify"
                                                : "the header names another file");
    if (!options_.salvage || options_.read_only) {
      return std::unexpected(
          Fault{make_error_code(is_foreign ? JournalError::not_a_journal : JournalError::damaged),
                detail});
    }
    const auto aside = quarantine_.set_file_aside(number, *octets);
    if (!aside) return fault(aside.error(), name);
    recovered_.quarantined.push_back(detail + "; the whole file is now " + *aside);
    return std::nullopt;
  }
  source.epoch = header.header.epoch;
  source.window_octets = std::min<std::uint64_t>(kRecoveryWindowOctets,
                                                 *octets / kBlockAlignOctets * kBlockAlignOctets);
  const auto block = reader.block(kFirstBlock, source.epoch);
  if (!block) return fault(block.error(), name);
  if (block->fault == BlockFault::none && block->header.number == 1) source.first = block->header;
  return source;
}

Found<void> Recovery::note_gap(std::uint32_t missing) {
  const std::string detail = file_name(missing) + ": the file is missing";
  if (!options_.salvage || options_.read_only) {
    return std::unexpected(Fault{make_error_code(JournalError::damaged), detail});
  }
  const auto noted = quarantine_.note_missing(missing);
  if (!noted) return fault(noted.error(), file_name(missing));
  recovered_.quarantined.push_back(detail);
  return {};
}

// Takes off the end of `sources` the files that were made ahead and never used: they have no first
// block, or the torn beginning of one that nothing vouches for.
Found<std::vector<Source>> Recovery::pop_unused(std::vector<Source>& sources) {
  std::vector<Source> unused;
  while (!sources.empty() && !sources.back().first &&
         !quarantine_.end_of(sources.back().number, kFirstBlock)) {
    BlockReader reader(*sources.back().file, sources.back().window_octets);
    const auto vouched = is_vouched_for(reader, sources.back(), kFirstBlock);
    if (!vouched) return std::unexpected(vouched.error());
    if (*vouched) break;
    unused.push_back(std::move(sources.back()));
    sources.pop_back();
  }
  return unused;
}

Found<void> Recovery::remove_unused(const std::vector<Source>& unused) {
  for (const Source& source : unused) {
    const std::string name = file_name(source.number);
    if (source.number <= recovered_.end.file) {
      // Behind it lies a number that was set aside: a file just gone would be taken for lost.
      const auto octets = source.file->size();
      if (!octets) return fault(octets.error(), name);
      const auto aside = quarantine_.set_file_aside(source.number, *octets);
      if (!aside) return fault(aside.error(), name);
      recovered_.quarantined.push_back(name + ": without a block; the file is now " + *aside);
    } else if (const auto removed = files_.remove(directory_ / name); !removed) {
      return fault(removed.error(), name);
    }
  }
  if (const auto synced = files_.sync_directory(directory_); !synced) {
    return fault(synced.error(), directory_.string());
  }
  return {};
}

// Answers the check of its last block; nothing where that is not known, behind what is set aside.
Found<std::optional<std::uint32_t>> Recovery::recover_file(
    Source& source, std::optional<std::uint32_t> check_before, const Source* next) {
  Neighbours neighbours{.check_before = check_before, .has_next = next != nullptr};
  if (next != nullptr && next->number == source.number + 1 && next->first) {
    neighbours.check_at_end = next->first->previous_check;
  }
  std::uint64_t limit = kFileOctetsMax;
  if (next == nullptr) {
    const auto settled = settle_end(source, check_before);
    if (!settled) return std::unexpected(settled.error());
    limit = options_.read_only && options_.to_watermark ? settled->durable : settled->end;
  }
  const auto visit_block = [&](std::uint64_t at, const BlockRead& block) {
    for (std::uint32_t offset = 0; offset < block.payload.size();) {
      const auto read = read_record(block.payload, offset);
      assert(read && "walk() has read all records of the block");
      Record record = read->record;
      record.at = Locator(source.number, static_cast<std::uint32_t>(at), offset);
      visit_(record);
      ++recovered_.records;
      offset = read->next;
    }
  };
  const auto walked = walk(source, neighbours, limit, visit_block);
  if (!walked) return std::unexpected(walked.error());
  // What settle_end() has synced must be what is read now.
  if (next == nullptr && walked->end < limit) {
    return damage(source.number, walked->end, "what was just copied does not read back");
  }
  recovered_.end = {.file = source.number, .block_crc = walked->check.value_or(0)};
  recovered_.octets += walked->end;
  recovered_.files.push_back({.number = source.number,
                              .first_word = source.first ? source.first->first_word : 0,
                              .octets = walked->end});
  return walked->check;
}

// Finds where the last file ends, cuts what is torn, and makes sure that what is left is on disk.
Found<Walked> Recovery::settle_end(Source& source, std::optional<std::uint32_t> check_before) {
  std::vector<Unwitnessed> tail;
  std::uint64_t durable = kFirstBlock;
  const auto remember = [&](std::uint64_t at, const BlockRead& block) {
    durable = std::max<std::uint64_t>(durable, block.header.durable_octets);
    std::erase_if(tail, [&](const Unwitnessed& one) { return one.end <= durable; });
    // The first block counts even when it is empty: it is what makes the file a used one.
    tail.push_back({.at = at,
                    .end = at + block_octets(block.header.payload_octets),
                    .is_needed = at == kFirstBlock || !block.payload.empty()});
  };
  auto walked = walk(source, {.check_before = check_before}, kFileOctetsMax, remember);
  if (!walked) return walked;

  BlockReader reader(*source.file, source.window_octets);
  const auto stray = reader.end_of_non_zero(walked->end);
  if (!stray) return fault(stray.error(), file_name(source.number));
  recovered_.torn_octets = *stray - walked->end;
  if (options_.read_only) return walked;

  if (tail.empty()) {
    const auto octets = source.file->size();
    if (!octets) return fault(octets.error(), file_name(source.number));
    if (*octets > walked->end) {
      result<void> cut = source.file->truncate(walked->end);
      if (cut) cut = source.file->sync();
      if (!cut) return fault(cut.error(), file_name(source.number));
    }
    return walked;
  }
  const bool has_records = std::ranges::any_of(tail, &Unwitnessed::is_needed);
  if (auto renewed = renew(source, tail.front().at, walked->end, has_records); !renewed) {
    return std::unexpected(renewed.error());
  }
  return walked;
}

// The file's blocks up to `end`, those from `tail` on without a witness, become certain: by a
// synced copy in the file's place; or, where they hold no records or the disk has no room, by
// writing the tail once more.
Found<void> Recovery::renew(Source& source, std::uint64_t tail, std::uint64_t end,
                            bool has_records) {
  result<void> done;
  if (has_records) {
    done = copy(source, end);
    if (!done && done.error() == std::errc::no_space_on_device) {
      (void)files_.remove(directory_ / file_name_in_making(source.number));
      has_records = false;
    }
  }
  if (!has_records) done = write_again(*source.file, tail, end);
  if (!done) return fault(done.error(), file_name(source.number));
  return {};
}

result<void> Recovery::copy(Source& source, std::uint64_t end) {
  const auto making = directory_ / file_name_in_making(source.number);
  const auto path = directory_ / file_name(source.number);
  auto made = files_.open(making, FileSystem::Mode::create);
  if (!made) return std::unexpected(made.error());
  std::vector<std::uint8_t> step(std::min(kCopyStepOctets, end));
  for (std::uint64_t at = 0; at < end;) {
    const auto got = source.file->read(
        at, std::span(step).first(std::min<std::uint64_t>(step.size(), end - at)));
    if (!got) return std::unexpected(got.error());
    if (*got == 0) break;  // only where a stretch set aside reaches beyond the file's end
    if (auto written = (*made)->write(at, std::span(step).first(*got)); !written) return written;
    at += *got;
  }
  if (auto synced = (*made)->sync(); !synced) return synced;
  if (auto renamed = files_.rename(making, path); !renamed) return renamed;
  if (auto synced = files_.sync_directory(directory_); !synced) return synced;
  source.file = std::move(*made);
  return {};
}

result<void> Recovery::write_again(File& file, std::uint64_t tail, std::uint64_t end) {
  std::vector<std::uint8_t> octets(end - tail);
  const auto got = file.read(tail, octets);
  if (!got) return std::unexpected(got.error());
  octets.resize(*got);
  if (auto written = file.write(tail, octets); !written) return written;
  if (auto cut = file.truncate(end); !cut) return cut;
  return file.sync();
}

// Calls on_block for each good block up to `limit`. Ends at the first bad block, when that is where
// the file may end; else it is damage.
Found<Walked> Recovery::walk(Source& source, const Neighbours& neighbours, std::uint64_t limit,
                             const OnBlock& on_block) {
  BlockReader reader(*source.file, source.window_octets);
  Walked walked;
  walked.check = neighbours.check_before;
  std::uint32_t last_number = 0;
  bool is_after_gap = false;
  bool has_looked_again = false;
  while (walked.end < limit) {
    const std::uint64_t at = walked.end;
    if (const auto to = quarantine_.end_of(source.number, at)) {
      if (*to <= at) break;
      walked.end = *to;
      walked.check.reset();
      is_after_gap = true;
      continue;
    }
    const auto block = reader.block(at, source.epoch);
    if (!block) return fault(block.error(), place(source.number, at));
    std::string_view words = queue::words(block->fault);
    bool is_good = block->fault == BlockFault::none;
    if (is_good && (is_after_gap ? block->header.number <= last_number
                                 : block->header.number != last_number + 1)) {
      is_good = false;
      words = "block number is out of turn";
    }
    if (is_good && walked.check && block->header.previous_check != *walked.check) {
      is_good = false;
      words = "block does not follow the one before";
    }
    if (is_good && !all_records_read(block->payload)) {
      is_good = false;
      words = "records of the block do not add up";
    }
    if (is_good) {
      on_block(at, *block);
      last_number = block->header.number;
      walked.check = block->header.check;
      walked.durable = std::max<std::uint64_t>(walked.durable, block->header.durable_octets);
      walked.end = at + block_octets(block->header.payload_octets);
      is_after_gap = false;
      has_looked_again = false;
      continue;
    }
    bool is_damage = neighbours.has_next && last_number == 0 && !is_after_gap;
    if (!is_damage && neighbours.check_at_end && walked.check) {
      is_damage = *walked.check != *neighbours.check_at_end;
    } else if (!is_damage) {
      const auto vouched = is_vouched_for(reader, source, at);
      if (!vouched) return std::unexpected(vouched.error());
      is_damage = *vouched;
    }
    if (!is_damage) return walked;
    if (!has_looked_again) {
      has_looked_again = true;  // a running daemon may have finished it in the meantime
      reader.forget();
      continue;
    }
    if (!options_.salvage || options_.read_only) return damage(source.number, at, words);
    if (auto aside = set_aside(reader, source, at, last_number, words); !aside) {
      return std::unexpected(aside.error());
    }
  }
  return walked;
}

// True when a later block says that what lies at `at` was durable before it.
Found<bool> Recovery::is_vouched_for(BlockReader& reader, const Source& source, std::uint64_t at) {
  for (std::uint64_t from = at + kBlockAlignOctets;;) {
    const auto header = reader.find_header(from, source.epoch);
    if (!header) return fault(header.error(), place(source.number, from));
    if (!*header) return false;
    if ((*header)->header.durable_octets > at) return true;
    from = (*header)->offset + kBlockAlignOctets;
  }
}

// Sets the bad stretch from `at` to the next good block, or to the file's end, aside.
Found<void> Recovery::set_aside(BlockReader& reader, Source& source, std::uint64_t at,
                                std::uint32_t last_number, std::string_view words) {
  const auto octets = source.file->size();
  if (!octets) return fault(octets.error(), file_name(source.number));
  // To the end of all octets there can be, so that nothing is taken for a block behind it.
  std::uint64_t to = std::max(*octets, at + kBlockAlignOctets);
  for (std::uint64_t from = at + kBlockAlignOctets;;) {
    const auto header = reader.find_header(from, source.epoch);
    if (!header) return fault(header.error(), place(source.number, from));
    if (!*header) break;
    const std::uint64_t offset = (*header)->offset;
    const auto block = reader.block(offset, source.epoch);
    if (!block) return fault(block.error(), place(source.number, offset));
    if (block->fault == BlockFault::none && block->header.number > last_number &&
        all_records_read(block->payload)) {
      to = offset;
      break;
    }
    from = offset + kBlockAlignOctets;
  }
  const auto aside = quarantine_.set_aside(*source.file, source.number, at, to);
  if (!aside) return fault(aside.error(), place(source.number, at));
  recovered_.quarantined.push_back(place(source.number, at) + " to " + std::to_string(to) + ": " +
                                   std::string(words) + "; a copy is " + *aside);
  return {};
}

}  // namespace

std::expected<Recovered, RecoveryFault> recover(FileSystem& files,
                                                const std::filesystem::path& directory,
                                                RecoveryOptions options,
                                                const std::function<void(const Record&)>& visit) {
  return Recovery(files, directory, options, visit).run();
}

}  // namespace stentor::queue
