#include "daemon/recovery/carried_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/newer_file.h"
#include "daemon/records/carried_records.h"
#include "daemon/records/carrier_cancel_records.h"
#include "daemon/recovery/carriage.h"
#include "queue/carried_excerpt.h"
#include "queue/excerpt_writer.h"
#include "queue/first_block.h"
#include "queue/journal_format.h"
#include "queue/quarantine.h"

namespace stentor::daemon {
namespace {

std::string words(std::uint32_t before, std::error_code why) {
  return queue::carried_name(before) + ": " + why.message();
}

// The first and the last; 0 where there is none.
queue::result<std::pair<std::uint32_t, std::uint32_t>> journal_files(
    queue::FileSystem& files, const std::filesystem::path& journal) {
  const auto names = files.list(journal);
  if (!names) return std::unexpected(names.error());
  std::pair<std::uint32_t, std::uint32_t> found{0, 0};
  for (const std::string& name : *names) {
    const auto number = queue::file_number(name);
    if (!number) continue;
    if (found.first == 0 || *number < found.first) found.first = *number;
    found.second = std::max(found.second, *number);
  }
  return found;
}

struct Newest {
  std::uint32_t before = 0;  // 0: none
  std::uint32_t first_file = 0;
  bool is_cut_off = false;  // journal files between the two are missing
};

// The excerpt that the journal says last that it needs, by the newest file with records: each
// begins with it as long as there is one.
std::uint32_t needed_at_end(queue::FileSystem& files, const std::filesystem::path& journal,
                            std::uint32_t first, std::uint32_t last) {
  for (std::uint32_t file = last; file >= first && file > 0; --file) {
    std::uint32_t needed = 0;
    bool has_records = false;
    const auto note = [&](const queue::Record& record) {
      has_records = true;
      if (record.kind != kCarriedRecord) return queue::result<void>{};
      if (const auto said = decode_carried(record.payload)) needed = said->before;
      return queue::result<void>{};
    };
    // Damage on the way is the journal's own, and told as that.
    (void)for_each_record(files, journal, file, file + 1, unpaced, note);
    if (has_records) return needed;
  }
  return 0;
}

// One that ends before the journal's first file is left over: its messages became final before
// files behind it went. Unless the journal says that it is needed.
queue::result<Newest> newest(queue::FileSystem& files, const std::filesystem::path& journal) {
  const auto carried = queue::list_carried(files, journal);
  if (!carried) {
    if (carried.error() == std::errc::no_such_file_or_directory) return Newest{};
    return std::unexpected(carried.error());
  }
  if (carried->empty()) return Newest{};
  const auto numbers = journal_files(files, journal);
  if (!numbers) return std::unexpected(numbers.error());
  Newest found{.before = carried->front(), .first_file = numbers->first};
  if (found.first_file <= found.before) return found;
  found.is_cut_off = needed_at_end(files, journal, numbers->first, numbers->second) == found.before;
  return found.is_cut_off ? found : Newest{};
}

}  // namespace

std::expected<std::optional<CarriedFile>, std::string> CarriedFiles::find_newest(bool salvage) {
  const auto looked = newest(files_, journal_);
  if (!looked) return std::unexpected(journal_.string() + ": " + looked.error().message());
  const std::uint32_t before = looked->before;
  if (before == 0) return std::nullopt;
  if (looked->is_cut_off && !salvage) {
    return std::unexpected(queue::file_name(before) + ": the file is missing, and " +
                           queue::carried_name(before) + " leads up to it");
  }
  const auto path = journal_ / queue::carried_name(before);
  auto reader = queue::ExcerptReader::open(files_, path);
  if (!reader && reader.error() == queue::JournalError::newer_version) {
    return std::unexpected(to_string(look_at_newer(files_, path, queue::kExcerptVersion)));
  }
  if (!reader) return std::unexpected(words(before, reader.error()));
  const auto first = queue::read_first_block(files_, journal_, before);
  // A file that cannot be read is the journal's own damage, and told as that.
  const bool is_foreign = reader->header().before != before ||
                          (first && first->previous_check != reader->header().chain_check);
  if (is_foreign)
    return std::unexpected(queue::carried_name(before) + ": belongs to another journal");
  CarriedFile found{.before = before, .octets = reader->octets(), .first_file = looked->first_file};
  const auto read = reader->for_each([&found](const queue::Record& record) {
    if (speaks_as(record.kind) == Carriage::message) ++found.messages;
    return queue::result<void>{};
  });
  if (!read) return std::unexpected(words(before, read.error()));
  return found;
}

queue::result<std::vector<std::string>> CarriedFiles::salvage() {
  const auto looked = newest(files_, journal_);
  if (!looked) return std::unexpected(looked.error());
  if (looked->before == 0) return {};
  auto reader = queue::ExcerptReader::open(files_, journal_ / queue::carried_name(looked->before));
  queue::result<void> whole;
  if (reader) whole = reader->verify();
  const std::error_code why = !reader ? reader.error() : !whole ? whole.error() : std::error_code();
  if (!why) return {};
  if (why != queue::JournalError::damaged) return std::unexpected(why);
  return salvage_octets(looked->before);
}

// The copy comes first: between the two the excerpt is damaged still, and is salvaged again.
queue::result<std::vector<std::string>> CarriedFiles::salvage_octets(std::uint32_t before) {
  const auto path = journal_ / queue::carried_name(before);
  const auto aside =
      queue::Quarantine(files_, journal_).set_excerpt_aside(queue::carried_name(before));
  if (!aside) return std::unexpected(aside.error());
  auto writer = start_writer(before);
  if (!writer) return std::unexpected(writer.error());
  const auto kept = queue::ExcerptReader::for_each_good(
      files_, path, [&writer](const queue::Record& record) { return writer->add(record); });
  if (!kept) return std::unexpected(kept.error());
  if (auto finished = writer->finish(); !finished) return std::unexpected(finished.error());
  return std::vector{fmt::format("{}: damaged, {} good blocks with {} records kept; a copy is {}",
                                 queue::carried_name(before), *kept, writer->records(), *aside)};
}

queue::result<void> CarriedFiles::make_empty(std::uint32_t before) {
  auto writer = start_writer(before);
  if (!writer) return std::unexpected(writer.error());
  return writer->finish();
}

// Where the file behind it cannot be read, it belongs to whatever that will turn out to be.
queue::result<queue::ExcerptWriter> CarriedFiles::start_writer(std::uint32_t before) {
  const auto first = queue::read_first_block(files_, journal_, before);
  return queue::ExcerptWriter::start(
      files_, journal_, queue::carried_name(before),
      {.before = before, .chain_check = first ? first->previous_check : 0});
}

queue::result<void> CarriedFiles::for_each(std::uint32_t before,
                                           const queue::ExcerptReader::Visit& visit) {
  auto reader = queue::open_carried(files_, journal_, before);
  if (!reader) return std::unexpected(reader.error());
  return reader->for_each(visit);
}

// What lived at the checkpoint's place and was accepted before `before`. An `unknown` message is
// kept by checkpoints as long as its file is there; it is final, and ends with its file.
queue::result<SequenceSet> CarriedFiles::live_before(const Making& making) {
  SequenceSet live;
  const auto note = [&](const queue::Record& record) -> queue::result<void> {
    const Carriage carriage = carriage_of(record.kind);
    if (carriage != Carriage::message && carriage != Carriage::follows) return {};
    const auto about = about_message(record, carriage);
    if (!about) return {};
    if (carriage == Carriage::message) {
      if (record.at.file() < making.before) live.insert(about->sequence);
    } else if (about->is_unknown && about->accepted.file() < making.before) {
      live.erase(about->sequence);
    }
    return {};
  };
  CheckpointFiles checkpoints(files_, journal_);
  const auto read = checkpoints.for_each(making.checkpoint, paced(making.pace, note));
  if (!read) return std::unexpected(read.error());
  return live;
}

queue::result<CarriedFile> CarriedFiles::make(const Making& making) {
  // Unlike salvaging, it is made for a journal that reads.
  if (const auto first = queue::read_first_block(files_, journal_, making.before); !first) {
    return std::unexpected(first.error());
  }
  const auto live = live_before(making);
  if (!live) return std::unexpected(live.error());
  auto writer = start_writer(making.before);
  if (!writer) return std::unexpected(writer.error());
  CarriedFile made{.before = making.before};
  auto done = carry(making, *live, *writer, made.messages);
  if (done) done = writer->finish();
  if (done && !reads_back(made)) {
    done = std::unexpected(make_error_code(queue::JournalError::damaged));
    (void)files_.remove(journal_ / queue::carried_name(making.before));
  }
  made.octets = writer->octets();
  if (done) return made;
  // Its space is wanted, the more so where there was too little of it.
  (void)files_.remove(journal_ / (queue::carried_name(making.before) + ".making"));
  return std::unexpected(done.error());
}

// Counts the messages; fails where they are not all that live.
queue::result<void> CarriedFiles::carry(const Making& making, const SequenceSet& live,
                                        queue::ExcerptWriter& writer, std::uint64_t& messages) {
  FieldWriter fields;
  const auto is_live = [&live](std::uint64_t sequence) { return live.contains(sequence); };
  const auto add = [&](const queue::Record& record) -> queue::result<void> {
    // Without a checkpoint a start needs it at its place, where it says which of the messages are
    // still to end.
    if (record.kind == kCarrierCancelledRecord) return writer.add(record);
    const Carriage carriage = speaks_as(record.kind);
    if (carriage == Carriage::sequences) {
      if (encode_kept(record, is_live, fields).value_or(0) == 0) return {};
      return writer.add({.kind = record.kind, .payload = fields.octets(), .at = record.at});
    }
    if (carriage != Carriage::message && carriage != Carriage::follows) return {};
    const auto about = about_message(record, carriage);
    if (!about || !is_live(about->sequence)) return {};
    if (carriage == Carriage::message) ++messages;
    return writer.add(record);
  };
  if (making.carried_before != 0) {
    if (auto read = for_each(making.carried_before, paced(making.pace, add)); !read) return read;
  }
  const std::uint32_t from = std::max(making.oldest, making.carried_before);
  if (auto read = for_each_record(files_, journal_, from, making.before, making.pace, add); !read) {
    return read;
  }
  if (making.is_complete(messages)) return {};
  return std::unexpected(make_error_code(queue::JournalError::damaged));
}

bool CarriedFiles::reads_back(const CarriedFile& made) {
  const auto found = find_newest();
  return found && *found && (*found)->before == made.before && (*found)->messages == made.messages;
}

queue::result<void> CarriedFiles::remove_all_but(std::uint32_t kept) {
  const auto names = files_.list(journal_);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    const auto before = queue::excerpt_before(queue::kCarriedPurpose, name);
    const bool is_making =
        name.starts_with(queue::kCarriedPurpose) && name.ends_with(".stx.making");
    if (!is_making && (!before || *before == kept)) continue;
    if (auto removed = files_.remove(journal_ / name); !removed) return removed;
  }
  return {};
}

}  // namespace stentor::daemon
