#include "daemon/tracking/segment_spill.h"

#include <algorithm>
#include <span>

#include "daemon/plain_octets.h"

namespace stentor::daemon {
namespace {

constexpr std::size_t kPageEntries = 128;  // 4 KiB: what a disk reads at once anyway
// A file goes when its last segment does: small enough to give space back, large enough that a
// hundred million segments take fifty.
constexpr std::uint64_t kFileOctetsMax = 64u << 20;
// Each word of the filter serves eight entries: one look in thirty is in vain.
constexpr std::size_t kEntriesPerWord = 8;

// Four bits of a word, chosen by octets of the key that choose nothing else.
std::uint64_t bits_of(const SegmentKey& key) {
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 4; ++i) bits |= std::uint64_t{1} << (key.low >> (8 * i) & 63);
  return bits;
}

}  // namespace

struct SegmentSpill::SpillFile {
  std::unique_ptr<queue::File> file;
  std::uint64_t end = 0;
};

struct SegmentSpill::Chunk {
  std::shared_ptr<SpillFile> file;  // the last chunk that goes closes it, and its space is free
  std::uint64_t offset = 0;
  std::size_t count = 0;
  std::size_t live = 0;
  std::optional<std::uint16_t> earliest;  // expiry, of those not erased
  std::vector<std::uint64_t> fences;      // the first key's high half, of each page
  std::vector<std::uint64_t> filter;
  std::vector<bool> erased;

  [[nodiscard]] std::size_t word_of(const SegmentKey& key) const {
    return (key.low >> 32) % filter.size();
  }
  [[nodiscard]] bool may_have(const SegmentKey& key) const {
    const std::uint64_t bits = bits_of(key);
    return (filter[word_of(key)] & bits) == bits;
  }
  void note_expiry(std::uint16_t minute) {
    if (!earliest || is_before(minute, *earliest)) earliest = minute;
  }
  void erase(std::size_t index) {
    erased[index] = true;
    --live;
  }
};

SegmentSpill::SegmentSpill(queue::FileSystem& files, std::filesystem::path folder, std::string name,
                           std::size_t maps)
    : files_(files), folder_(std::move(folder)), name_(std::move(name)), maps_(maps) {}

SegmentSpill::~SegmentSpill() = default;

// Without a name from the start: what a crash leaves takes no room and confuses nobody.
bool SegmentSpill::open_file() {
  const auto path = folder_ / (name_ + "." + std::to_string(next_file_++) + ".spill");
  (void)files_.make_directory(folder_);  // there already, or the next step says what is wrong
  (void)files_.remove(path);             // of a process that died between the two steps
  auto file = files_.open(path, queue::FileSystem::Mode::create);
  if (!file) return false;
  (void)files_.remove(path);
  open_ = std::make_shared<SpillFile>();
  open_->file = std::move(*file);
  return true;
}

bool SegmentSpill::write(std::size_t map, std::vector<Entry>& entries) {
  std::ranges::sort(entries, {}, &Entry::key);
  const std::uint64_t octets = entries.size() * sizeof(Entry);
  if ((!open_ || open_->end + octets > kFileOctetsMax) && !open_file()) return false;
  if (!open_->file->write(open_->end, octets_of(entries))) {
    open_.reset();
    return false;
  }
  auto chunk = std::make_unique<Chunk>();
  chunk->file = open_;
  chunk->offset = open_->end;
  chunk->count = chunk->live = entries.size();
  chunk->filter.resize(entries.size() / kEntriesPerWord + 1);
  chunk->erased.resize(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (i % kPageEntries == 0) chunk->fences.push_back(entry.key.high);
    chunk->filter[chunk->word_of(entry.key)] |= bits_of(entry.key);
    chunk->note_expiry(entry.segment.expires_minute);
  }
  open_->end += octets;
  size_ += entries.size();
  if (chunks_.empty()) chunks_.resize(maps_);
  chunks_[map].push_back(std::move(chunk));
  return true;
}

std::optional<SegmentSpill::Found> SegmentSpill::locate(std::size_t map, const SegmentKey& key) {
  if (size_ == 0) return std::nullopt;
  for (auto chunk = chunks_[map].rbegin(); chunk != chunks_[map].rend(); ++chunk) {
    if (!(*chunk)->may_have(key)) continue;
    // The page before the first fence that is greater. Keys of equal high halves lie together, and
    // over the edge of a page once in 10^16 looks.
    const auto behind = std::ranges::upper_bound((*chunk)->fences, key.high);
    if (behind == (*chunk)->fences.begin()) continue;
    const auto page = static_cast<std::size_t>(behind - (*chunk)->fences.begin()) - 1;
    const std::size_t first = page * kPageEntries;
    page_.resize(std::min(kPageEntries, (*chunk)->count - first));
    const auto read =
        (*chunk)->file->file->read((*chunk)->offset + first * sizeof(Entry), room_of(page_));
    if (!read || *read != page_.size() * sizeof(Entry)) {
      ++unreadable_;
      continue;
    }
    const auto found = std::ranges::lower_bound(page_, key, {}, &Entry::key);
    if (found == page_.end() || found->key != key) continue;
    const std::size_t index = first + static_cast<std::size_t>(found - page_.begin());
    if ((*chunk)->erased[index]) continue;
    return Found{.chunk = chunk->get(), .index = index, .segment = found->segment};
  }
  return std::nullopt;
}

std::optional<OutstandingSegment> SegmentSpill::find(std::size_t map, const SegmentKey& key) {
  const auto found = locate(map, key);
  if (!found) return std::nullopt;
  return found->segment;
}

std::optional<OutstandingSegment> SegmentSpill::erase(std::size_t map, const SegmentKey& key) {
  const auto found = locate(map, key);
  if (!found) return std::nullopt;
  found->chunk->erase(found->index);
  --size_;
  if (found->chunk->live == 0) drop_empty(map);
  return found->segment;
}

void SegmentSpill::drop_empty(std::size_t map) {
  std::erase_if(chunks_[map], [](const auto& chunk) { return chunk->live == 0; });
  if (size_ == 0) open_.reset();
}

bool SegmentSpill::read_chunk(const Chunk& chunk, std::vector<Entry>& entries) {
  entries.resize(chunk.count);
  const auto read = chunk.file->file->read(chunk.offset, room_of(entries));
  if (read && *read == entries.size() * sizeof(Entry)) return true;
  ++unreadable_;
  return false;
}

void SegmentSpill::take_expired(std::size_t map, std::uint16_t minute, std::size_t max,
                                std::vector<Entry>& expired) {
  if (size_ == 0) return;
  bool any_empty = false;
  for (const auto& chunk : chunks_[map]) {
    if (expired.size() == max) break;
    const bool is_due = chunk->earliest && is_before(*chunk->earliest, minute);
    if (!is_due || !read_chunk(*chunk, whole_)) continue;
    chunk->earliest.reset();
    for (std::size_t i = 0; i < whole_.size(); ++i) {
      if (chunk->erased[i]) continue;
      if (expired.size() < max && is_before(whole_[i].segment.expires_minute, minute)) {
        expired.push_back(whole_[i]);
        chunk->erase(i);
        --size_;
      } else {
        chunk->note_expiry(whole_[i].segment.expires_minute);
      }
    }
    any_empty = any_empty || chunk->live == 0;
  }
  if (any_empty) drop_empty(map);
}

void SegmentSpill::keep_only(
    const std::function<bool(const SegmentKey&, OutstandingSegment&)>& keep) {
  for (std::size_t map = 0; map < chunks_.size(); ++map) {
    for (const auto& chunk : chunks_[map]) {
      if (!read_chunk(*chunk, whole_)) continue;
      for (std::size_t i = 0; i < whole_.size(); ++i) {
        if (chunk->erased[i]) continue;
        if (!keep(whole_[i].key, whole_[i].segment)) {
          chunk->erase(i);
          --size_;
        }
        chunk->note_expiry(whole_[i].segment.expires_minute);
      }
      if (!chunk->file->file->write(chunk->offset, octets_of(whole_))) ++unreadable_;
    }
    drop_empty(map);
  }
}

}  // namespace stentor::daemon
