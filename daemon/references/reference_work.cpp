#include "daemon/references/reference_work.h"

#include <algorithm>
#include <optional>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "daemon/records/records.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {
namespace {

constexpr std::size_t kFanIn = 8;       // runs that become one
constexpr std::uint64_t kSimilar = 4;   // none of them is more than so many times another's size
constexpr std::uint64_t kSpanPart = 8;  // of the guard, that a merged run may span
constexpr std::size_t kReaderOctets = 4u << 20;

// The run as all runs are handed over: with its filter in memory.
queue::result<ReferenceRun> open_made(const ReferencePlaces& places, const ReferenceSpan& span) {
  auto run = ReferenceRun::open(places.files, places.folder, span);
  if (!run) return run;
  if (auto kept = run->keep_filter(true); !kept) return std::unexpected(kept.error());
  return run;
}

queue::result<ReferenceRun> write_entries(const ReferencePlaces& places,
                                          const std::vector<ReferenceEntry>& entries,
                                          const ReferenceSpan& span) {
  auto writer =
      ReferenceRunWriter::start(places.files, places.folder, span, places.seed, entries.size());
  if (!writer) return std::unexpected(writer.error());
  for (const ReferenceEntry& entry : entries) {
    if (auto added = writer->add(entry); !added) return std::unexpected(added.error());
  }
  if (auto finished = writer->finish(); !finished) return std::unexpected(finished.error());
  return open_made(places, span);
}

// Walks one run in the order of its keys.
class Walk {
 public:
  explicit Walk(ReferenceRun run) : run_(std::move(run)) {}

  // False at the end.
  queue::result<bool> next() {
    if (++at_ < page_.size()) return true;
    if (number_ == run_.pages()) return false;
    if (auto loaded = run_.load(number_, page_); !loaded) return std::unexpected(loaded.error());
    ++number_;
    at_ = 0;
    return !page_.empty();
  }
  [[nodiscard]] const ReferenceEntry& entry() const { return page_[at_]; }

 private:
  ReferenceRun run_;
  std::uint64_t number_ = 0;
  std::size_t at_ = 0;
  std::vector<ReferenceEntry> page_;
};

struct Found {
  ReferenceEntry entry;
  std::uint64_t time_ms = 0;
};

std::optional<Found> reference_in(const queue::Record& record, std::uint64_t seed) {
  if (static_cast<RecordKind>(record.kind) != RecordKind::accepted) return std::nullopt;
  const auto accepted = decode_accepted(record.payload);
  if (!accepted || !accepted->owns_ref) return std::nullopt;
  const auto subject = decode_subject(accepted->subject);
  if (!subject) return std::nullopt;
  return Found{
      .entry = {.key = reference_key(seed, subject->client, subject->ref), .at = record.at.bits()},
      .time_ms = subject->id.time_ms()};
}

}  // namespace

std::uint64_t reference_key(std::uint64_t seed, std::string_view client,
                            std::string_view ref) noexcept {
  const std::uint64_t client_hash = XXH3_64bits_withSeed(client.data(), client.size(), seed);
  return XXH3_64bits_withSeed(ref.data(), ref.size(), client_hash);
}

queue::result<ReferenceRun> write_table(const ReferencePlaces& places, const ReferenceTable& table,
                                        const ReferenceSpan& span) {
  return write_entries(places, table.entries(), span);
}

queue::result<ReferenceRun> merge_runs(const ReferencePlaces& places,
                                       const std::vector<ReferenceSpan>& spans) {
  ReferenceSpan whole = spans.front();
  std::vector<Walk> walks;  // oldest first
  std::uint64_t entries = 0;
  for (const ReferenceSpan& span : spans) {
    whole.to = span.to;
    whole.earliest_ms = std::min(whole.earliest_ms, span.earliest_ms);
    whole.latest_ms = std::max(whole.latest_ms, span.latest_ms);
    auto run = ReferenceRun::open(places.files, places.folder, span);
    if (!run) return run;
    entries += run->entries();
    Walk walk(std::move(*run));
    const auto begun = walk.next();
    if (!begun) return std::unexpected(begun.error());
    if (*begun) walks.push_back(std::move(walk));
  }
  auto writer = ReferenceRunWriter::start(places.files, places.folder, whole, places.seed, entries);
  if (!writer) return std::unexpected(writer.error());
  while (!walks.empty()) {
    std::uint64_t least = walks.front().entry().key;
    for (const Walk& walk : walks) least = std::min(least, walk.entry().key);
    ReferenceEntry newest;
    for (auto walk = walks.begin(); walk != walks.end();) {
      if (walk->entry().key != least) {
        ++walk;
        continue;
      }
      newest = walk->entry();
      const auto more = walk->next();
      if (!more) return std::unexpected(more.error());
      walk = *more ? walk + 1 : walks.erase(walk);
    }
    if (auto added = writer->add(newest); !added) return std::unexpected(added.error());
  }
  if (auto finished = writer->finish(); !finished) return std::unexpected(finished.error());
  for (const ReferenceSpan& span : spans) {  // one that stays is seen and removed at a start
    (void)places.files.remove(places.folder / span.file_name());
  }
  return open_made(places, whole);
}

std::vector<ReferenceSpan> runs_not_whole(const ReferencePlaces& places,
                                          const std::vector<ReferenceSpan>& spans) {
  std::vector<ReferenceSpan> bad;
  for (const ReferenceSpan& span : spans) {
    auto run = ReferenceRun::open(places.files, places.folder, span);
    bool is_whole = run && run->keep_filter(true);
    std::vector<ReferenceEntry> page;
    for (std::uint64_t i = 0; is_whole && i < run->pages(); ++i) {
      is_whole = run->load(i, page).has_value();
    }
    if (!is_whole) bad.push_back(span);
  }
  return bad;
}

queue::result<Rebuilt> rebuild_runs(const ReferencePlaces& places, const ReferenceSpan& span,
                                    std::uint64_t entries_max) {
  Rebuilt rebuilt;
  queue::JournalReader reader(places.files, places.journal,
                              {.recent_octets_max = 0, .blocks_octets_max = kReaderOctets});
  ReferenceSpan piece{.from = span.from, .to = span.to};
  std::vector<ReferenceEntry> entries;
  const auto write = [&]() -> queue::result<void> {
    std::ranges::sort(entries, [](const ReferenceEntry& a, const ReferenceEntry& b) {
      return a.key != b.key ? a.key < b.key : a.at > b.at;  // the newest first, which stays
    });
    const auto doubles = std::ranges::unique(entries, {}, &ReferenceEntry::key);
    entries.erase(doubles.begin(), doubles.end());
    auto run = write_entries(places, entries, piece);
    if (!run) return std::unexpected(run.error());
    rebuilt.runs.push_back(std::move(*run));
    entries.clear();
    return {};
  };
  queue::Locator position(span.from);
  while (true) {
    const auto read = reader.next(position, queue::Locator(span.to));
    if (!read) return std::unexpected(read.error());
    const std::optional<queue::Record>& record = *read;
    if (!record) break;
    const auto found = reference_in(*record, places.seed);
    if (!found) continue;
    if (entries.empty()) piece.earliest_ms = found->time_ms;
    piece.latest_ms = std::max(piece.latest_ms, found->time_ms);
    entries.push_back(found->entry);
    if (entries.size() < entries_max) continue;
    piece.to = found->entry.at + 1;
    if (auto written = write(); !written) return std::unexpected(written.error());
    piece = {.from = piece.to, .to = span.to};
  }
  if (piece.from < piece.to) {
    if (auto written = write(); !written) return std::unexpected(written.error());
  }
  rebuilt.blocks_bad = reader.stats().blocks_bad;
  return rebuilt;
}

std::vector<ReferenceSpan> runs_to_merge(const std::vector<ReferenceRun>& runs,
                                         std::uint64_t guard_ms, std::uint64_t entries_max) {
  for (std::size_t first = runs.size() < kFanIn ? 0 : runs.size() - kFanIn + 1; first-- > 0;) {
    std::uint64_t smallest = UINT64_MAX;
    std::uint64_t largest = 0;
    std::uint64_t together = 0;
    bool fits = true;
    for (std::size_t i = first; i < first + kFanIn; ++i) {
      smallest = std::min(smallest, runs[i].entries());
      largest = std::max(largest, runs[i].entries());
      together += runs[i].entries();
      if (i > first) fits = fits && runs[i - 1].span().to == runs[i].span().from;
    }
    // Eight that would be too many: as many of them as are not.
    std::size_t end = first + kFanIn;
    while (end > first && together > entries_max) together -= runs[--end].entries();
    if (!fits || largest > smallest * kSimilar || end < first + 2) continue;
    if (runs[end - 1].span().latest_ms - runs[first].span().earliest_ms > guard_ms / kSpanPart) {
      continue;
    }
    std::vector<ReferenceSpan> chosen;
    for (std::size_t i = first; i < end; ++i) chosen.push_back(runs[i].span());
    return chosen;
  }
  return {};
}

}  // namespace stentor::daemon
