#include "daemon/history/history_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ranges>

namespace stentor::daemon {
namespace {

// Read through once, from the front; questions take blocks here and there.
constexpr queue::ReaderOptions kReaderOptions{.recent_octets_max = 0,
                                              .blocks_octets_max = 2u << 20};
constexpr std::uint64_t kEpochAt = 16;  // docs/journal.md, "Grammar"

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
  return folder_ / fmt::format("{:08}.index", file);
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
    const auto record = reader_.next(position_, end);
    if (!record || !*record) return true;  // what cannot be read now is tried at the next call
    const std::uint32_t file = (*record)->at.file();
    if (!gathered_.contains(file)) {
      seal();
      if (gathered_.size() == kGatheredMax) {
        position_ = before;
        return true;
      }
    }
    Gathered& gathered = gathered_[file];
    const std::uint64_t at = (*record)->at.bits();
    index_record(
        **record, [&](std::uint64_t sequence) { gathered.sequences.push_back({sequence, at}); },
        [&](std::uint64_t key) { gathered.names.push_back({key, at}); });
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
  runs_.visit(sealed_, key, [&](std::vector<std::uint64_t>& found) {
    places.swap(found);
    return tell();
  });
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
