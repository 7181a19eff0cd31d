// Remembers every client's references for the guard time: the memory of "I sent that already".
//
// Keeps eight octets of a keyed hash and eight of a place for each; what the reference really was,
// and what it asked for, is checked on the record at that place. The newest lie in a table in
// memory; when that is full it becomes a sorted file, a *run*, written and merged by a thread of
// its own. Filters in memory answer for the runs that a reference is new: no read then.
//
// Units    Entries; milliseconds of Unix time.
// Owns     Its tables, its runs and their folder, which it locks, and the thread that writes them.
// Errors   A run that cannot be written stays in memory and is written later. One that does not
//          verify is made again from the journal; until then find() cannot tell. Two references
//          with equal 64-bit hashes are told apart by the record; the later one takes the place,
//          which can happen by chance once in some ten billion messages.
// Threads  One thread; durable_to() from any.
// Spec     docs/journal.md, "References"
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/newer_file.h"
#include "daemon/references/reference_run.h"
#include "daemon/references/reference_table.h"
#include "daemon/references/reference_work.h"
#include "daemon/references/reference_worker.h"
#include "queue/locator.h"

namespace stentor::daemon {

/// A record that is durable, or one in a batch that is not yet.
struct ReferencePlace {
  queue::Locator durable;  ///< nowhere: still in a batch
  std::uint64_t batch = 0;
  std::uint32_t record_offset = 0;
};

class ReferenceIndex {
 public:
  struct Options {
    std::uint64_t seed = 0;               ///< used where no run has one
    std::uint64_t guard_ms = 0;           ///< older ones need not be remembered
    std::size_t entries_max = 0;          ///< in the table in memory
    std::uint64_t filter_octets_max = 0;  ///< of filters in memory; beyond, they are read in place
    std::uint64_t now_ms = UINT64_MAX;    ///< at the start: later dates are a wrong clock's
    std::uint64_t run_entries_max = kRunEntriesMax;  ///< merging makes no larger run
  };

  /// All in memory.
  explicit ReferenceIndex(std::uint64_t seed) : options_{.seed = seed} {}
  /// With what `folder` holds of `journal`. Fails with `locked` when another process has it.
  [[nodiscard]] static queue::result<std::unique_ptr<ReferenceIndex>> open(
      queue::FileSystem& files, const std::filesystem::path& folder,
      const std::filesystem::path& journal, Options options);

  /// A run that open() found of a later version: it is gone, and made again as lost ones are.
  [[nodiscard]] const std::optional<NewerFile>& met_newer() const noexcept { return newer_; }
  /// Who is told that a run had to be made again, or could not be written; the first of a row.
  void set_on_trouble(std::function<void(std::string)> on_trouble) {
    on_trouble_ = std::move(on_trouble);
  }

  [[nodiscard]] std::uint64_t key_of(std::string_view client, std::string_view ref) const noexcept {
    return reference_key(options_.seed, client, ref);
  }
  /// Fails when it cannot be told now whether the reference is known.
  [[nodiscard]] queue::result<std::optional<ReferencePlace>> find(std::uint64_t key);
  void put_pending(std::uint64_t key, std::uint64_t batch, std::uint32_t record_offset);
  /// Places ascend; `time_ms` is when the message was accepted, or a little later.
  void put_durable(std::uint64_t key, queue::Locator at, std::uint64_t time_ms);
  /// Forgets an entry of a batch that failed.
  void drop(std::uint64_t key) { pending_.erase(key); }

  /// Before the index is used: remembers it unless a run does. Waits for runs that are written.
  void restore(std::uint64_t key, queue::Locator at, std::uint64_t time_ms);
  /// Before the index is used: what the runs should know of [`from`, `to`) and do not, because one
  /// is lost, is read from the journal.
  [[nodiscard]] queue::result<void> rebuild_missing(queue::Locator from, queue::Locator to);

  /// Once a second: forgets what is older than the guard or lies before `oldest`, retries, merges.
  void tend(queue::Locator oldest, std::uint64_t now_ms);
  /// Waits until nothing is being written: for tests, and for a start that has to know.
  void settle() { worker_.wait(); }

  /// References before this place need not be kept elsewhere: they lie in runs.
  [[nodiscard]] queue::Locator durable_to() const noexcept {
    return queue::Locator(durable_to_.load(std::memory_order_acquire));  // release in publish()
  }

  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] std::size_t runs() const noexcept { return runs_.size(); }
  [[nodiscard]] std::uint64_t memory_octets() const noexcept;

 private:
  struct Frozen {
    ReferenceTable table;
    ReferenceSpan span;
  };
  struct Gap {  // between runs, or behind the last: where the table's entries lie
    std::uint64_t from = 0;
    std::uint64_t to = UINT64_MAX;
  };
  void load_runs();
  [[nodiscard]] Gap gap_at(std::uint64_t at) const;
  [[nodiscard]] bool is_in_runs(std::uint64_t at) const;
  void put(std::uint64_t key, std::uint64_t at, std::uint64_t time_ms);
  void freeze(std::uint64_t to);
  void write_frozen();
  void adopt(ReferenceRun run);
  void lose(ReferenceSpan span);
  void merge(std::vector<ReferenceSpan> spans);
  void rebuild_lost();
  void forget_expired(std::uint64_t now_ms);
  void publish();
  void complain(const std::string& what, std::error_code why);

  Options options_;
  std::uint64_t now_ms_ = UINT64_MAX;        // as told last
  std::unique_ptr<ReferencePlaces> places_;  // none: all in memory
  std::unique_ptr<queue::File> lock_;
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> pending_;  // as packed in the .cpp
  ReferenceTable table_;
  Gap gap_;
  std::uint64_t earliest_ms_ = UINT64_MAX;  // of the table
  std::uint64_t latest_ms_ = 0;
  std::shared_ptr<const Frozen> frozen_;  // being written, or to be
  std::vector<ReferenceRun> runs_;        // by place
  std::optional<NewerFile> newer_;
  std::vector<ReferenceSpan> lost_;  // runs that did not verify: to be made again
  std::atomic<std::uint64_t> durable_to_{0};
  std::function<void(std::string)> on_trouble_;
  bool is_troubled_ = false;
  ReferenceWorker worker_;  // last: its job may use what is above
};

}  // namespace stentor::daemon
