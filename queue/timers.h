// What waits for a time, however much: retries, and messages that must not go before it.
//
// Near entries stand in a heap (due_heap.h), exact to the millisecond. Far ones lie unsorted in a
// calendar of 16 s stretches, 24 octets each, and on disk beyond a bound; a stretch is opened 16 s
// ahead. Where that is more than the heap may hold, it is dealt into steps of 32 ms, of which each
// is due at its end: never early, at most 32 ms late. A mailing of ten million at nine o'clock is
// one step, moved as a whole.
//
// A flow can be counted and taken out, as from Lanes (lanes.h); it is held there, not here.
//
// Units    Times are milliseconds of whatever clock the caller counts by, always the same one.
// Owns     The entries.
// Errors   None: allocation failure aside, every ticket finds a place. What the disk does to
//          spilled ones is SpillStore's to tell.
// Threads  One thread.
// Spec     docs/queue.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "queue/due_heap.h"
#include "queue/far_queue.h"

namespace stentor::queue {

class Timers {
 public:
  using Entry = DueHeap::Entry;
  using Sink = DueHeap::Sink;

  static constexpr std::int64_t kStretchMs = 1 << 14;
  static constexpr std::int64_t kStepMs = 1 << 5;
  /// In the heap, and about as many more when a stretch opens: 2 MiB.
  static constexpr std::size_t kNearMax = 65'536;

  /// Everything stays in memory.
  Timers() = default;
  /// Keeps about `entries_in_memory` far entries in memory and puts what is more into `spill`,
  /// which outlives the timers and is theirs alone.
  Timers(SpillStore& spill, std::size_t entries_in_memory);
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  void push(std::int64_t due_ms, Priority priority, Flow flow, Ticket ticket);
  /// An entry that is due at `now_ms`: the earliest of the heap; of a step, the one pushed first.
  /// Nothing when none is due, or what is due is being read from disk.
  [[nodiscard]] std::optional<Entry> pop_due(std::int64_t now_ms);
  /// When to call pop_due() next, though it may have nothing then: a stretch is opened, or read.
  [[nodiscard]] std::optional<std::int64_t> next_due() const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return near_.size() + far_; }
  [[nodiscard]] std::size_t spilled() const noexcept;

  /// As DueHeap has them; what is on disk is asked for, and comes at later calls.
  std::size_t take_flow(Flow flow, std::size_t max, const Sink& sink);
  std::size_t take_all(std::size_t max, const Sink& sink);
  [[nodiscard]] std::size_t waiting_of(Flow flow) const noexcept;

 private:
  using Calendar = std::map<std::int64_t, FarQueue>;  // by due / width

  void open_stretches(std::int64_t now_ms);
  [[nodiscard]] bool open_first(std::size_t& budget);
  void put_near(const Entry& entry);
  void put(Calendar& calendar, std::int64_t width_ms, const Entry& entry);
  [[nodiscard]] Entry entry_of(const FarEntry& far, std::int64_t from_ms) const noexcept;
  void count_out(Flow flow) noexcept;
  std::size_t sweep(Calendar& calendar, std::int64_t width_ms, Flow flow, std::size_t max,
                    std::size_t& looks, const Sink& sink);

  FarSpace space_;
  DueHeap near_;
  Calendar steps_;
  Calendar stretches_;
  std::int64_t opened_until_ms_ = 0;  ///< what is due before goes to the heap or into steps
  std::size_t far_ = 0;
  std::unordered_map<Flow, std::size_t> far_by_flow_;
  bool waits_for_disk_ = false;
  // Where take_flow() goes on; it goes round until none is left.
  struct Cursor {
    Flow flow = 0;
    bool in_stretches = false;
    std::int64_t key = 0;
    std::size_t piece = 0;
  } cursor_;
};

}  // namespace stentor::queue
