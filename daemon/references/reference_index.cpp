#include "daemon/references/reference_index.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stentor::daemon {
namespace {

// A pending place in one word: 42 bits of batch number, 22 bits of offset.
constexpr unsigned kOffsetBits = 22;

}  // namespace

queue::result<std::unique_ptr<ReferenceIndex>> ReferenceIndex::open(
    queue::FileSystem& files, const std::filesystem::path& folder,
    const std::filesystem::path& journal, Options options) {
  if (auto made = files.make_directory(folder); !made) return std::unexpected(made.error());
  auto lock = files.lock(folder);
  if (!lock) return std::unexpected(lock.error());
  auto index = std::make_unique<ReferenceIndex>(options.seed);
  index->options_ = options;
  index->now_ms_ = options.now_ms;
  index->lock_ = std::move(*lock);
  index->places_ = std::make_unique<ReferencePlaces>(
      ReferencePlaces{.files = files, .folder = folder, .journal = journal, .seed = options.seed});
  index->load_runs();
  return index;
}

// A run that is missing or does not verify leaves a gap, which the start fills from the journal.
void ReferenceIndex::load_runs() {
  const auto names = places_->files.list(places_->folder);
  std::vector<ReferenceSpan> named;
  for (const std::string& name : names ? *names : std::vector<std::string>{}) {
    if (name.ends_with(kMakingSuffix)) (void)places_->files.remove(places_->folder / name);
    if (const auto span = ReferenceSpan::of_file_name(name)) named.push_back(*span);
  }
  // Of those that a merge had not removed yet, the larger comes first and says it all.
  std::ranges::sort(named, [](const ReferenceSpan& a, const ReferenceSpan& b) {
    return a.from != b.from ? a.from < b.from : a.to > b.to;
  });
  std::uint64_t known_to = 0;
  for (const ReferenceSpan& span : named) {
    if (span.to > known_to) {
      auto run = ReferenceRun::open(places_->files, places_->folder, span);
      if (run && (runs_.empty() || run->seed() == runs_.front().seed()) && run->keep_filter(true)) {
        known_to = span.to;
        adopt(std::move(*run));
        continue;
      }
      if (!run && run.error() == queue::JournalError::newer_version && !newer_) {
        newer_ = look_at_newer(places_->files, places_->folder / span.file_name(),
                               ReferenceRun::kVersion);
      }
    }
    (void)places_->files.remove(places_->folder / span.file_name());
  }
  if (!runs_.empty()) options_.seed = places_->seed = runs_.front().seed();
  gap_ = gap_at(0);
  publish();
}

// The gap that holds `at`, or the one behind the run that does.
ReferenceIndex::Gap ReferenceIndex::gap_at(std::uint64_t at) const {
  Gap gap;
  for (const ReferenceRun& run : runs_) {
    const ReferenceSpan& span = run.span();
    if (span.from <= std::max(at, gap.from)) {
      gap.from = std::max(gap.from, span.to);
    } else {
      gap.to = span.from;
      break;
    }
  }
  return gap;
}

bool ReferenceIndex::is_in_runs(std::uint64_t at) const {
  return std::ranges::any_of(runs_, [at](const ReferenceRun& run) { return run.span().holds(at); });
}

queue::result<std::optional<ReferencePlace>> ReferenceIndex::find(std::uint64_t key) {
  if (const auto found = pending_.find(key); found != pending_.end()) {
    return ReferencePlace{
        .durable = {},
        .batch = found->second >> kOffsetBits,
        .record_offset = static_cast<std::uint32_t>(found->second & ((1u << kOffsetBits) - 1))};
  }
  if (const auto at = table_.find(key)) return ReferencePlace{.durable = *at};
  if (frozen_) {
    if (const auto at = frozen_->table.find(key)) return ReferencePlace{.durable = *at};
  }
  for (std::size_t i = runs_.size(); i-- > 0;) {
    const auto at = runs_[i].find(key);
    if (at && *at) return ReferencePlace{.durable = **at};
    if (at) continue;
    complain("a run does not verify and is made again from the journal", at.error());
    lose(runs_[i].span());
  }
  if (lost_.empty()) return std::nullopt;
  return std::unexpected(make_error_code(queue::JournalError::damaged));
}

void ReferenceIndex::lose(ReferenceSpan span) {  // a copy: its run goes
  if (std::erase_if(
          runs_, [&span](const ReferenceRun& run) { return run.span().from == span.from; }) == 0) {
    return;
  }
  lost_.push_back(span);
  publish();
}

void ReferenceIndex::put_pending(std::uint64_t key, std::uint64_t batch,
                                 std::uint32_t record_offset) {
  assert(record_offset < 1u << kOffsetBits && "a batch is smaller than a block");
  pending_.insert_or_assign(key, batch << kOffsetBits | record_offset);
}

void ReferenceIndex::put_durable(std::uint64_t key, queue::Locator at, std::uint64_t time_ms) {
  pending_.erase(key);
  now_ms_ = std::max(now_ms_, time_ms);
  put(key, at.bits(), time_ms);
  if (places_ && table_.size() >= options_.entries_max) {
    worker_.collect();
    if (worker_.is_idle() && !frozen_) freeze(at.bits() + 1);
  }
}

void ReferenceIndex::restore(std::uint64_t key, queue::Locator at, std::uint64_t time_ms) {
  if (places_ && at.bits() >= gap_.to) {  // what lies between two runs becomes one of its own
    worker_.wait();
    if (table_.size() > 0 && !frozen_) freeze(gap_.to);
    worker_.wait();
    gap_ = gap_at(at.bits());
  }
  if (at.bits() < gap_.from && is_in_runs(at.bits())) return;
  put(key, at.bits(), time_ms);
  if (!places_ || table_.size() < options_.entries_max) return;
  worker_.wait();
  if (!frozen_) freeze(at.bits() + 1);
}

void ReferenceIndex::put(std::uint64_t key, std::uint64_t at, std::uint64_t time_ms) {
  table_.put(key, queue::Locator(at));
  earliest_ms_ = std::min(earliest_ms_, time_ms);
  latest_ms_ = std::max(latest_ms_, time_ms);
}

queue::result<void> ReferenceIndex::rebuild_missing(queue::Locator from, queue::Locator to) {
  if (!places_) return {};
  worker_.wait();
  for (Gap gap = gap_at(from.bits()); gap.from < to.bits(); gap = gap_at(gap.to)) {
    const ReferenceSpan span{.from = std::max(gap.from, from.bits()),
                             .to = std::min(gap.to, to.bits())};
    auto rebuilt = rebuild_runs(*places_, span, options_.entries_max);
    if (!rebuilt) return std::unexpected(rebuilt.error());
    for (ReferenceRun& run : rebuilt->runs) adopt(std::move(run));
    if (rebuilt->blocks_bad > 0) {
      complain("blocks of the journal could not be read for them",
               make_error_code(queue::JournalError::damaged));
    }
    if (gap.to >= to.bits()) break;
  }
  // What the table has of that stretch is in both; it speaks for what follows.
  gap_.from = std::max(gap_.from, to.bits());
  publish();
  return {};
}

void ReferenceIndex::freeze(std::uint64_t to) {
  auto frozen = std::make_shared<Frozen>();
  frozen->span = {.from = gap_.from,
                  .to = to,
                  .earliest_ms = std::exchange(earliest_ms_, UINT64_MAX),
                  .latest_ms = std::exchange(latest_ms_, 0)};
  frozen->table = std::exchange(table_, ReferenceTable());
  gap_.from = to;
  frozen_ = std::move(frozen);
  write_frozen();
}

void ReferenceIndex::write_frozen() {
  worker_.submit([this, frozen = frozen_, places = *places_]() -> std::function<void()> {
    auto made = std::make_shared<queue::result<ReferenceRun>>(
        write_table(places, frozen->table, frozen->span));
    return [this, made] {
      if (!*made) return complain("a run cannot be written, it stays in memory", made->error());
      is_troubled_ = false;
      frozen_.reset();
      adopt(std::move(**made));
      publish();
    };
  });
}

void ReferenceIndex::adopt(ReferenceRun run) {
  run.limit_dates(now_ms_);
  std::uint64_t filters = run.filter_octets();
  for (const ReferenceRun& other : runs_) filters += other.memory_octets();
  if (filters > options_.filter_octets_max) (void)run.keep_filter(false);
  const auto behind = std::ranges::upper_bound(
      runs_, run.span().from, {}, [](const ReferenceRun& other) { return other.span().from; });
  runs_.insert(behind, std::move(run));
}

void ReferenceIndex::merge(std::vector<ReferenceSpan> spans) {
  worker_.submit([this, spans = std::move(spans), places = *places_]() -> std::function<void()> {
    auto made = std::make_shared<queue::result<ReferenceRun>>(merge_runs(places, spans));
    std::vector<ReferenceSpan> bad;
    if (!*made) bad = runs_not_whole(places, spans);
    return [this, made, bad = std::move(bad)] {
      if (!*made) {
        complain("runs cannot be merged", made->error());
        for (const ReferenceSpan& span : bad) lose(span);
        return;
      }
      const ReferenceSpan whole = (*made)->span();
      std::erase_if(runs_,
                    [&whole](const ReferenceRun& run) { return whole.holds(run.span().from); });
      // One that was found lost meanwhile has been merged whole all the same.
      std::erase_if(lost_, [&whole](const ReferenceSpan& span) { return whole.holds(span.from); });
      adopt(std::move(**made));
      publish();
    };
  });
}

void ReferenceIndex::rebuild_lost() {
  const ReferenceSpan span = lost_.front();
  worker_.submit([this, span, places = *places_,
                  entries_max = options_.entries_max]() -> std::function<void()> {
    auto made = std::make_shared<queue::result<Rebuilt>>(rebuild_runs(places, span, entries_max));
    return [this, made, span] {
      if (!*made) return complain("a run cannot be made again", made->error());
      for (ReferenceRun& run : (*made)->runs) adopt(std::move(run));
      std::erase_if(lost_, [&span](const ReferenceSpan& lost) { return lost.from == span.from; });
      is_troubled_ = false;
      publish();
    };
  });
}

void ReferenceIndex::tend(queue::Locator oldest, std::uint64_t now_ms) {
  table_.forget_before(oldest);
  now_ms_ = std::max(now_ms_, now_ms);
  if (!places_) return;
  worker_.collect();
  if (!worker_.is_idle()) return;
  if (frozen_) return write_frozen();
  if (!lost_.empty()) return rebuild_lost();
  forget_expired(now_ms);
  if (auto spans = runs_to_merge(runs_, options_.guard_ms, options_.run_entries_max);
      worker_.is_idle() && !spans.empty()) {
    merge(std::move(spans));
  }
}

void ReferenceIndex::forget_expired(std::uint64_t now_ms) {
  std::vector<ReferenceSpan> gone;
  std::erase_if(runs_, [&](const ReferenceRun& run) {
    const bool is_over = run.span().latest_ms + options_.guard_ms < now_ms;
    if (is_over) gone.push_back(run.span());
    return is_over;
  });
  if (gone.empty()) return;
  worker_.submit([gone = std::move(gone), places = *places_]() -> std::function<void()> {
    for (const ReferenceSpan& span : gone) {  // one that stays is removed after the next start
      (void)places.files.remove(places.folder / span.file_name());
    }
    return [] {};
  });
}

// What is known without a gap from the first run on; what came before that has expired.
void ReferenceIndex::publish() {
  std::uint64_t to = 0;
  for (const ReferenceRun& run : runs_) {
    if (to != 0 && run.span().from != to) break;
    to = run.span().to;
  }
  durable_to_.store(to, std::memory_order_release);  // pairs with acquire in durable_to()
}

void ReferenceIndex::complain(const std::string& what, std::error_code why) {
  if (std::exchange(is_troubled_, true) || !on_trouble_) return;
  on_trouble_(what + ": " + why.message());
}

std::size_t ReferenceIndex::size() const noexcept {
  std::size_t size = pending_.size() + table_.size() + (frozen_ ? frozen_->table.size() : 0);
  for (const ReferenceRun& run : runs_) size += run.entries();
  return size;
}

std::uint64_t ReferenceIndex::memory_octets() const noexcept {
  std::uint64_t octets = (pending_.size() + table_.size() + (frozen_ ? frozen_->table.size() : 0)) *
                         ReferenceTable::kOctetsPerEntry;
  for (const ReferenceRun& run : runs_) octets += run.memory_octets();
  return octets;
}

}  // namespace stentor::daemon
