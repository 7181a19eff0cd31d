#include "daemon/history/name_runs.h"

#include <algorithm>
#include <charconv>
#include <ranges>
#include <span>

namespace stentor::daemon {
namespace {

// A merge leaves the journal its room: four times what it writes, and twice `min_free`'s default.
constexpr std::uint64_t kFreeTimes = 4;
constexpr std::uint64_t kFreeOctetsMin = std::uint64_t{2} << 30;
constexpr std::size_t kPauseCalls = 60;  // a minute of an idle daemon

// "00000001-00000016.names"; the epoch is for who knows it.
std::optional<NameSpan> span_of(std::string_view name) {
  NameSpan span;
  const char* const end = name.data() + name.size();
  const auto from = std::from_chars(name.data(), end, span.from);
  if (from.ec != std::errc{} || from.ptr == end || *from.ptr != '-') return std::nullopt;
  const auto to = std::from_chars(from.ptr + 1, end, span.to);
  if (to.ec != std::errc{} || span.to < span.from || name != span.file_name()) return std::nullopt;
  return span;
}

bool is_ours(std::string_view name) {
  return name.ends_with(".names") || name.ends_with(".names.making");
}

}  // namespace

void NameRuns::open(SealedIndexes& sealed) {
  const auto listed = files_.list(folder_);
  if (!listed) return;
  std::vector<NameSpan> spans;
  for (const std::string& name : *listed) {
    if (!is_ours(name)) continue;
    auto span = span_of(name);
    const auto last = span ? sealed.find(span->to) : sealed.end();
    if (last == sealed.end()) {
      (void)files_.remove(folder_ / name);  // half made, or of what is gone
      continue;
    }
    span->epoch = last->second.epoch();
    spans.push_back(*span);
  }
  // The largest first: those that it was made of may still be there.
  std::ranges::sort(spans, std::ranges::greater{}, &NameSpan::files);
  for (const NameSpan& span : spans) {
    const auto over = runs_.lower_bound(span.from);
    const bool is_covered = over != runs_.end() && over->second.span().from <= span.to;
    auto run = is_covered ? std::nullopt : NameRun::open(files_, folder_, span);
    if (run) {
      adopt(std::move(*run), sealed);
    } else {
      (void)files_.remove(folder_ / span.file_name());
    }
  }
}

// The names of what it covers are found in it alone from now on.
void NameRuns::adopt(NameRun run, SealedIndexes& sealed) {
  const NameSpan span = run.span();
  for (auto old = runs_.lower_bound(span.from); old != runs_.end() && old->first <= span.to;) {
    (void)files_.remove(folder_ / old->second.span().file_name());
    old = runs_.erase(old);
  }
  for (auto file = sealed.lower_bound(span.from); file != sealed.end() && file->first <= span.to;
       ++file) {
    file->second.names().forget_fences();
  }
  runs_.emplace(span.to, std::move(run));
}

std::vector<NameRuns::Table> NameRuns::tables(SealedIndexes& sealed) {
  std::vector<Table> all;
  for (auto file = sealed.begin(); file != sealed.end();) {
    const auto run = runs_.lower_bound(file->first);
    if (run != runs_.end() && run->second.span().from <= file->first) {
      all.push_back({run->second.span(), {&run->second.file(), &run->second.names()}});
      file = sealed.upper_bound(run->first);
    } else {
      IndexFile& index = file->second;
      all.push_back({{file->first, file->first, index.epoch()}, {&index.file(), &index.names()}});
      ++file;
    }
  }
  return all;
}

// The oldest neighbours of one size that are enough, if there are any. A run whose first files are
// gone goes soon itself.
bool NameRuns::begin(SealedIndexes& sealed) {
  const std::vector<Table> all = tables(sealed);
  std::size_t first = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool goes_on = i > 0 && all[i].span.files() == all[i - 1].span.files() &&
                         all[i].span.from == all[i - 1].span.to + 1;
    if (!goes_on) first = i;
    if (all[i].span.from < sealed.begin()->first) {
      first = i + 1;
      continue;
    }
    if (i - first + 1 < kNeighbours || all[i].span.files() * kNeighbours > kFilesMax) continue;
    const auto taken = std::span(all).subspan(first, kNeighbours);
    std::vector<NameMerge::Source> sources;
    std::uint64_t octets = 0;
    for (const Table& table : taken) {
      sources.push_back(table.source);
      octets += table.source.names->size() * sizeof(IndexEntry);
    }
    const auto free = files_.free_octets(folder_);
    if (!free || *free < kFreeTimes * octets + kFreeOctetsMin) return false;
    const NameSpan span{taken.front().span.from, taken.back().span.to, taken.back().span.epoch};
    merge_ = std::make_unique<NameMerge>(files_, folder_, span, std::move(sources));
    return true;
  }
  return false;
}

bool NameRuns::merge_some(SealedIndexes& sealed, std::size_t entries_max) {
  if (pause_ > 0) {
    --pause_;
    return false;
  }
  const std::uint32_t newest = sealed.empty() ? 0 : sealed.rbegin()->first;
  if (!merge_ && (newest == looked_at_ || !begin(sealed))) {
    looked_at_ = newest;
    return false;
  }
  const auto is_whole = merge_->go_on(entries_max);
  if (is_whole && !*is_whole) return true;
  auto run = is_whole ? NameRun::open(files_, folder_, merge_->span()) : std::nullopt;
  merge_.reset();
  if (run) {
    adopt(std::move(*run), sealed);
    looked_at_ = 0;
  } else {
    pause_ = kPauseCalls;
  }
  return run.has_value();
}

void NameRuns::forget_before(std::uint32_t oldest) {
  if (merge_ && merge_->span().from < oldest) merge_.reset();  // what it reads from goes
  while (!runs_.empty() && runs_.begin()->first < oldest) {
    (void)files_.remove(folder_ / runs_.begin()->second.span().file_name());
    runs_.erase(runs_.begin());
  }
}

void NameRuns::visit(SealedIndexes& sealed, std::uint64_t key,
                     const std::function<bool(Places&)>& is_enough) {
  Places places;
  if (sealed.empty()) return;
  const queue::Locator oldest(sealed.begin()->first, 0, 0);
  for (auto file = sealed.end(); file != sealed.begin();) {
    --file;
    const auto run = runs_.lower_bound(file->first);
    if (run != runs_.end() && run->second.span().from <= file->first) {
      run->second.names().find(run->second.file(), key, places);
      file = sealed.lower_bound(run->second.span().from);
    } else {
      file->second.find_name(key, places);
    }
    // A run outlives the first of its files.
    std::erase_if(places, [&](std::uint64_t at) { return at < oldest.bits(); });
    if (is_enough(places)) return;
  }
}

}  // namespace stentor::daemon
