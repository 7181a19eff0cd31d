#include "daemon/history/history_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ranges>
#include <string_view>

#include "queue/carried_excerpt.h"

namespace stentor::daemon {
namespace {

// Read through once, from the front; questions take blocks here and there.
constexpr queue::ReaderOptions kReaderOptions{.recent_octets_max = 0,
                                              .blocks_octets_max = 2u << 20};
constexpr std::uint64_t kEpochAt = 16;  // docs/journal.md, "Grammar"
constexpr std::string_view kSuffix = ".index";
constexpr std::string_view kCarriedPrefix = "carried-";
// What is gathered before a part is written: 16 MiB, half of what a large journal file makes.
constexpr std::size_t kCarriedPart = 1u << 20;

// By a quarter, not twice over: there are two million of them behind a large journal file, and what
// they have no use for yet is memory all the same.
void append(std::vector<IndexEntry>& entries, const IndexEntry& entry) {
  constexpr std::size_t kFirst = 4096;
  if (entries.size() == entries.capacity()) {
    entries.reserve(entries.size() + std::max(kFirst, entries.size() / 4));
  }
  entries.push_back(entry);
}

}  // namespace

HistoryIndex::HistoryIndex(queue::FileSystem& files, std::filesystem::path journal,
                           std::filesystem::path folder)
    : files_(files),
      journal_(std::move(journal)),
      folder_(std::move(folder)),
      reader_(files, journal_, kReaderOptions),
      runs_(files, folder_) {
  (void)files_.make_directory(folder_);  // there already, or writing says what is wrong
  open_what_is_there();
}

std::filesystem::path HistoryIndex::path_of(std::uint32_t file) const {
  return folder_ / fmt::format("{:08}{}", file, kSuffix);
}

// 0 when the file is gone or cannot be read; epochs are random and never 0 by chance.
std::uint64_t HistoryIndex::epoch_of(std::uint32_t file) {
  auto opened =
      files_.open(journal_ / fmt::format("journal-{:08}.stj", file), queue::FileSystem::Mode::read);
  if (!opened) return 0;
  std::array<std::uint8_t, sizeof(std::uint64_t)> octets{};
  const auto read = (*opened)->read(kEpochAt, octets);
  if (!read || *read != octets.size()) return 0;
  std::uint64_t epoch = 0;
  std::memcpy(&epoch, octets.data(), sizeof epoch);
  return epoch;
}

void HistoryIndex::open_what_is_there() {
  const auto oldest = reader_.oldest();
  if (!oldest || oldest->is_nowhere()) return;
  std::uint32_t file = oldest->file();
  for (;; ++file) {
    auto index = IndexFile::open(files_, path_of(file), file, epoch_of(file));
    if (!index) {
      if (index.error() == queue::JournalError::newer_version) {
        newer_ = look_at_newer(files_, path_of(file), IndexFile::kVersion);
      }
      break;
    }
    sealed_.emplace(file, std::move(*index));
  }
  runs_.open(sealed_);
  position_ = queue::Locator(file, 0, 0);
}

bool HistoryIndex::catch_up(queue::Locator end, std::size_t records_max) {
  for (std::size_t i = 0; i < records_max; ++i) {
    const queue::Locator before = position_;
    const auto read = reader_.next(position_, end);
    const std::optional<queue::Record> record = read.value_or(std::nullopt);
    if (!record) return true;  // what cannot be read now is tried at the next call
    const std::uint32_t file = record->at.file();
    if (!gathered_.contains(file)) {
      seal();
      if (gathered_.size() == kGatheredMax) {
        position_ = before;
        return true;
      }
    }
    Gathered& gathered = gathered_[file];
    const std::uint64_t at = record->at.bits();
    index_record(
        *record, [&](std::uint64_t sequence) { append(gathered.sequences, {sequence, at}); },
        [&](std::uint64_t key) { append(gathered.names, {key, at}); });
  }
  return false;
}

// In order, so that all that is sealed is older than all that is not. The file that is followed
// may still grow.
void HistoryIndex::seal() {
  while (!gathered_.empty()) {
    const auto oldest = gathered_.begin();
    if (oldest->first >= position_.file() || !seal(oldest->first, oldest->second)) return;
    gathered_.erase(oldest);
  }
}

bool HistoryIndex::seal(std::uint32_t file, Gathered& gathered) {
  const std::uint64_t epoch = epoch_of(file);
  const auto path = path_of(file);
  if (epoch == 0 ||
      !IndexFile::write(files_, path, file, epoch, gathered.sequences, gathered.names)) {
    return false;
  }
  auto index = IndexFile::open(files_, path, file, epoch);
  if (index) sealed_.insert_or_assign(file, std::move(*index));
  return index.has_value();
}

std::string HistoryIndex::carried_name(std::uint32_t before, std::size_t part, bool is_last) const {
  return fmt::format("{}{:08}-{:04}{}{}", kCarriedPrefix, before, part, is_last ? "-last" : "",
                     kSuffix);
}

bool HistoryIndex::take_carried(std::uint32_t before) {
  if (knows_carried_ && before == carried_before_) return true;
  std::vector<IndexFile> taken;
  if (before != 0) {
    auto excerpt = queue::open_carried(files_, journal_, before);
    if (!excerpt) return false;
    // Known by the journal that it belongs to, and by its length: salvaging may have put a shorter
    // one in its place.
    const std::uint64_t epoch =
        std::uint64_t{excerpt->header().chain_check} << 32 ^ excerpt->octets();
    auto parts = open_carried(before, epoch);
    if (!parts && index_carried(before, *excerpt, epoch)) parts = open_carried(before, epoch);
    if (!parts) return false;
    taken = std::move(*parts);
  }
  carried_ = std::move(taken);
  carried_before_ = before;
  knows_carried_ = true;
  remove_carried_but(before);
  return true;
}

// Nothing where not all of its parts are there.
std::optional<std::vector<IndexFile>> HistoryIndex::open_carried(std::uint32_t before,
                                                                 std::uint64_t epoch) {
  std::vector<IndexFile> parts;
  while (true) {
    const std::size_t part = parts.size();
    for (const bool is_last : {true, false}) {
      auto index = IndexFile::open(files_, folder_ / carried_name(before, part, is_last), before,
                                   epoch + part);
      if (!index) continue;
      parts.push_back(std::move(*index));
      if (is_last) return parts;
      break;
    }
    if (parts.size() == part) return std::nullopt;
  }
}

bool HistoryIndex::index_carried(std::uint32_t before, queue::ExcerptReader& excerpt,
                                 std::uint64_t epoch) {
  std::vector<IndexEntry> sequences;
  std::vector<IndexEntry> names;
  std::size_t part = 0;
  const auto write = [&](bool is_last) {
    auto written = IndexFile::write(files_, folder_ / carried_name(before, part, is_last), before,
                                    epoch + part, sequences, names);
    ++part;
    sequences.clear();
    names.clear();
    return written;
  };
  const auto read = excerpt.for_each([&](const queue::Record& record) -> queue::result<void> {
    const std::uint64_t at = record.at.bits();
    index_record(
        record, [&](std::uint64_t sequence) { sequences.push_back({sequence, at}); },
        [&](std::uint64_t key) { names.push_back({key, at}); });
    return sequences.size() + names.size() < kCarriedPart ? queue::result<void>{} : write(false);
  });
  return read && write(true);
}

void HistoryIndex::remove_carried_but(std::uint32_t kept) {
  const auto names = files_.list(folder_);
  if (!names) return;  // they harm nobody, and the next start looks again
  const std::string mine = fmt::format("{}{:08}-", kCarriedPrefix, kept);
  for (const std::string& name : *names) {
    if (!name.starts_with(kCarriedPrefix) || name.starts_with(mine)) continue;
    (void)files_.remove(folder_ / name);  // likewise
  }
}

// Of what was carried, places in files that are still there and have been taken in by themselves.
void HistoryIndex::drop_indexed(std::vector<std::uint64_t>& places) const {
  const std::uint32_t first = !sealed_.empty()     ? sealed_.begin()->first
                              : !gathered_.empty() ? gathered_.begin()->first
                                                   : position_.file();
  std::erase_if(places, [first](std::uint64_t at) { return queue::Locator(at).file() >= first; });
}

void HistoryIndex::forget_before(std::uint32_t oldest) {
  runs_.forget_before(oldest);
  while (!sealed_.empty() && sealed_.begin()->first < oldest) {
    (void)files_.remove(path_of(sealed_.begin()->first));  // the next start finds no journal to it
    sealed_.erase(sealed_.begin());
  }
  gathered_.erase(gathered_.begin(), gathered_.lower_bound(oldest));
  reader_.forget_before(oldest);
}

std::vector<queue::Locator> HistoryIndex::find_sequence(std::uint64_t sequence) {
  std::vector<std::uint64_t> places;
  for (IndexFile& part : carried_) part.find_sequence(sequence, places);
  drop_indexed(places);
  for (auto& [file, index] : sealed_) index.find_sequence(sequence, places);
  for (const auto& [file, gathered] : gathered_) {
    for (const IndexEntry& entry : gathered.sequences) {
      if (entry.key == sequence) places.push_back(entry.at);
    }
  }
  std::ranges::sort(places);
  return {places.begin(), places.end()};
}

void HistoryIndex::visit_name(std::uint64_t key,
                              const std::function<bool(queue::Locator)>& is_enough) {
  std::vector<std::uint64_t> places;
  const auto tell = [&] {
    std::ranges::sort(places, std::ranges::greater{});
    const bool ended = std::ranges::any_of(
        places, [&](std::uint64_t at) { return is_enough(queue::Locator(at)); });
    places.clear();
    return ended;
  };
  for (const auto& [file, gathered] : gathered_ | std::views::reverse) {
    for (const IndexEntry& entry : gathered.names) {
      if (entry.key == key) places.push_back(entry.at);
    }
    if (tell()) return;
  }
  bool ended = false;
  std::vector<std::uint64_t> told;  // a run may reach back to files that are gone
  runs_.visit(sealed_, key, [&](std::vector<std::uint64_t>& found) {
    places.swap(found);
    if (!carried_.empty()) told.insert(told.end(), places.begin(), places.end());
    ended = tell();
    return ended;
  });
  if (ended) return;
  places.clear();
  for (IndexFile& part : carried_) part.find_name(key, places);
  drop_indexed(places);
  std::ranges::sort(told);
  std::erase_if(places, [&](std::uint64_t at) { return std::ranges::binary_search(told, at); });
  (void)tell();
}

std::vector<queue::Locator> HistoryIndex::find_name(std::uint64_t key, std::size_t max) {
  std::vector<queue::Locator> places;
  visit_name(key, [&](queue::Locator at) {
    if (places.size() < max) places.push_back(at);
    return places.size() >= max;
  });
  return places;
}

}  // namespace stentor::daemon
