#include "daemon/recovery/carried_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/newer_file.h"
#include "daemon/records/carried_records.h"
#include "daemon/recovery/carriage.h"
#include "queue/carried_excerpt.h"
#include "queue/excerpt_writer.h"
#include "queue/first_block.h"
#include "queue/journal_format.h"
#include "queue/quarantine.h"

namespace stentor::daemon {
namespace {

std::string name_of(std::uint32_t before) {
  return queue::excerpt_name(queue::kCarriedPurpose, before);
}

std::string words(std::uint32_t before, std::error_code why) {
  return name_of(before) + ": " + why.message();
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
    (void)for_each_record(files, journal, file, file + 1, [](std::uint64_t) { return true; }, note);
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

/// By sequence, neighbours together: 512 octets for 4096 of them.
class CarriedFiles::LiveMessages {
 public:
  void set(std::uint64_t sequence, bool lives) {
    pieces_[sequence / kPiece].set(sequence % kPiece, lives);
  }
  [[nodiscard]] bool has(std::uint64_t sequence) const {
    const auto piece = pieces_.find(sequence / kPiece);
    return piece != pieces_.end() && piece->second.test(sequence % kPiece);
  }

 private:
  static constexpr std::uint64_t kPiece = 4096;
  boost::unordered_flat_map<std::uint64_t, std::bitset<kPiece>> pieces_;
};

std::expected<std::optional<CarriedFile>, std::string> CarriedFiles::find_newest(bool salvage) {
  const auto looked = newest(files_, journal_);
  if (!looked) return std::unexpected(journal_.string() + ": " + looked.error().message());
  const std::uint32_t before = looked->before;
  if (before == 0) return std::nullopt;
  if (looked->is_cut_off && !salvage) {
    return std::unexpected(queue::file_name(before) + ": the file is missing, and " +
                           name_of(before) + " leads up to it");
  }
  const auto path = journal_ / name_of(before);
  auto reader = queue::ExcerptReader::open(files_, path);
  if (!reader && reader.error() == queue::JournalError::newer_version) {
    return std::unexpected(to_string(look_at_newer(files_, path, queue::kExcerptVersion)));
  }
  if (!reader) return std::unexpected(words(before, reader.error()));
  const auto first = queue::read_first_block(files_, journal_, before);
  // A file that cannot be read is the journal's own damage, and told as that.
  const bool is_foreign = reader->header().before != before ||
                          (first && first->previous_check != reader->header().chain_check);
  if (is_foreign) return std::unexpected(name_of(before) + ": belongs to another journal");
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
  auto reader = queue::ExcerptReader::open(files_, journal_ / name_of(looked->before));
  queue::result<void> whole;
  if (reader) whole = reader->verify();
  const std::error_code why = !reader ? reader.error() : !whole ? whole.error() : std::error_code();
  if (!why) return {};
  if (why != queue::JournalError::damaged) return std::unexpected(why);
  return salvage_octets(looked->before);
}

// The copy comes first: between the two the excerpt is damaged still, and is salvaged again.
queue::result<std::vector<std::string>> CarriedFiles::salvage_octets(std::uint32_t before) {
  const auto path = journal_ / name_of(before);
  const auto aside = queue::Quarantine(files_, journal_).set_excerpt_aside(name_of(before));
  if (!aside) return std::unexpected(aside.error());
  const auto first = queue::read_first_block(files_, journal_, before);
  auto writer = queue::ExcerptWriter::start(
      files_, journal_, name_of(before),
      {.before = before, .chain_check = first ? first->previous_check : 0});
  if (!writer) return std::unexpected(writer.error());
  const auto kept = queue::ExcerptReader::for_each_good(
      files_, path, [&writer](const queue::Record& record) { return writer->add(record); });
  if (!kept) return std::unexpected(kept.error());
  if (auto finished = writer->finish(); !finished) return std::unexpected(finished.error());
  return std::vector{fmt::format("{}: damaged, {} good blocks with {} records kept; a copy is {}",
                                 name_of(before), *kept, writer->records(), *aside)};
}

queue::result<void> CarriedFiles::make_empty(std::uint32_t before) {
  const auto first = queue::read_first_block(files_, journal_, before);
  auto writer = queue::ExcerptWriter::start(
      files_, journal_, name_of(before),
      {.before = before, .chain_check = first ? first->previous_check : 0});
  if (!writer) return std::unexpected(writer.error());
  return writer->finish();
}

queue::result<void> CarriedFiles::for_each(std::uint32_t before,
                                           const queue::ExcerptReader::Visit& visit) {
  auto reader = queue::ExcerptReader::open(files_, journal_ / name_of(before));
  if (!reader) return std::unexpected(reader.error());
  return reader->for_each(visit);
}

// What lived at the checkpoint's place and was accepted before `before`. An `unknown` message is
// kept by checkpoints as long as its file is there; it is final, and ends with its file.
queue::result<CarriedFiles::LiveMessages> CarriedFiles::live_before(const Making& making) {
  LiveMessages live;
  CheckpointFiles checkpoints(files_, journal_);
  auto read = checkpoints.for_each(making.checkpoint, [&](const queue::Record& record) {
    if (!making.pace(record.payload.size())) {
      return queue::result<void>(std::unexpected(ended_by_pace()));
    }
    const Carriage carriage = carriage_of(record.kind);
    if (carriage != Carriage::message && carriage != Carriage::follows) {
      return queue::result<void>{};
    }
    const auto about = about_message(record, carriage);
    if (!about) return queue::result<void>{};
    if (carriage == Carriage::message) {
      if (record.at.file() < making.before) live.set(about->sequence, true);
    } else if (about->is_unknown && about->accepted.file() < making.before) {
      live.set(about->sequence, false);
    }
    return queue::result<void>{};
  });
  if (!read) return std::unexpected(read.error());
  return live;
}

queue::result<CarriedFile> CarriedFiles::make(const Making& making) {
  const auto first = queue::read_first_block(files_, journal_, making.before);
  if (!first) return std::unexpected(first.error());
  const auto live = live_before(making);
  if (!live) return std::unexpected(live.error());
  auto writer =
      queue::ExcerptWriter::start(files_, journal_, name_of(making.before),
                                  {.before = making.before, .chain_check = first->previous_check});
  if (!writer) return std::unexpected(writer.error());

  CarriedFile made{.before = making.before};
  FieldWriter fields;
  const auto carry_named = [&](const queue::Record& record, auto named) -> queue::result<void> {
    if (!named) return {};
    std::erase_if(named->sequences, [&](std::uint64_t sequence) { return !live->has(sequence); });
    if (named->sequences.empty()) return {};
    fields.clear();
    encode(*named, fields);
    return writer->add({.kind = record.kind, .payload = fields.octets(), .at = record.at});
  };
  const auto carry = [&](const queue::Record& record) -> queue::result<void> {
    const Carriage carriage = speaks_as(record.kind);
    if (carriage == Carriage::sequences) {
      return static_cast<RecordKind>(record.kind) == RecordKind::intent
                 ? carry_named(record, decode_intent(record.payload))
                 : carry_named(record, decode_released(record.payload));
    }
    if (carriage != Carriage::message && carriage != Carriage::follows) return {};
    const auto about = about_message(record, carriage);
    if (!about || !live->has(about->sequence)) return {};
    if (carriage == Carriage::message) ++made.messages;
    return writer->add(record);
  };

  queue::result<void> done;
  if (making.carried_before != 0) {
    done = for_each(making.carried_before, [&](const queue::Record& record) {
      if (!making.pace(record.payload.size())) {
        return queue::result<void>(std::unexpected(ended_by_pace()));
      }
      return carry(record);
    });
  }
  const std::uint32_t from = std::max(making.oldest, making.carried_before);
  if (done) done = for_each_record(files_, journal_, from, making.before, making.pace, carry);
  if (done && !making.is_complete(made.messages)) {
    done = std::unexpected(make_error_code(queue::JournalError::damaged));
  }
  if (done) {
    done = writer->finish();
    const auto read_back = done ? find_newest() : std::nullopt;
    if (done && (!read_back || !*read_back || (*read_back)->before != making.before ||
                 (*read_back)->messages != made.messages)) {
      done = std::unexpected(make_error_code(queue::JournalError::damaged));
      (void)files_.remove(journal_ / name_of(making.before));
    }
  }
  made.octets = writer->octets();
  if (done) return made;
  // Its space is wanted, the more so where there was too little of it.
  (void)files_.remove(journal_ / (name_of(making.before) + ".making"));
  return std::unexpected(done.error());
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
