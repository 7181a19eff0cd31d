// The waiting messages of one carrier: priorities first, then fair share between flows.
//
// `urgent` goes before all else, yet not for ever: while it waits without a break, one pick in
// kBelowUrgentShare goes to those below. `normal` and `bulk` share what urgent leaves: while both
// wait, `bulk` gets one pick in kBulkShare. Within a priority, flows take turns, as many segments a
// turn as their weight (deficit round robin), so that a campaign of ten million does not delay one
// of ten, nor one of long messages one of short ones. A ticket costs one segment when it is picked;
// what its message has more is charged when that is known, and comes off the flow's turns: it sits
// out as many as it owes. Debts pass with the turns of others, whether the flow waits, is held or
// has nothing: a flow that waits alone owes nothing. Within a flow: first in, first out.
//
// A flow may be held: what it has and gets waits, is counted, still expires, and takes nobody's
// turn. A hold stays with the flow's number, whether anything of it waits or not. All together may
// be held besides: both must be released before a ticket goes.
//
// Here wait those that may go now. What waits for a time is in Timers (timers.h), which has the
// same take_flow(), take_all() and waiting_of(): who cancels or moves a flow asks both. A hold is
// needed here alone, since what falls due comes here before it goes.
//
// What does not fit in memory waits on disk, in blocks that are read ahead (docs/queue.md). A flow
// whose next block is not here yet is passed over, as if held, and takes its turn when it is:
// whoever owns the SpillIo calls SpillIo::collect() when told to, and picks again.
//
// Units    Counts are messages, weights and charges segments; seconds are Unix time, passed in.
//          When tickets expire is counted in steps of the caller's (ticket.h).
// Owns     The tickets, in chunks (ticket_chunk.h); an empty chunk is freed. Ten million waiting
//          in memory are 161 MB.
// Errors   None: allocation failure aside, every ticket finds a place. What the disk does to
//          spilled ones is SpillStore's to tell.
// Threads  One thread.
// Spec     docs/queue.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "queue/spill_store.h"
#include "queue/ticket.h"

namespace stentor::queue {

inline constexpr std::uint32_t kBulkShare = 10;  // of what urgent leaves, one in ten is bulk's
inline constexpr std::uint32_t kBelowUrgentShare = 20;  // one pick in twenty is not urgent's
// A turn of this many is what a light flow waits for a heavy one: 100 of them are 0.1 s at 1000
// segments a second.
inline constexpr std::uint16_t kWeightMax = 100;

class Lanes {
 public:
  /// Everything stays in memory; the caller bounds the total.
  Lanes();
  /// Keeps about `tickets_in_memory` in memory and puts what is more into `spill`, which outlives
  /// the lanes and is theirs alone. A flow keeps at least two chunks in memory whatever the bound.
  Lanes(SpillStore& spill, std::size_t tickets_in_memory);
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  void push(Priority priority, Flow flow, Ticket ticket, std::uint32_t now);
  /// Puts back one that was picked but not sent, before the others of its flow.
  void push_front(Priority priority, Flow flow, Ticket ticket, std::uint32_t now);

  struct Pick {
    Ticket ticket;
    Flow flow = 0;
    Priority priority = Priority::normal;
  };
  using Sink = std::function<void(const Pick&)>;

  /// Nothing when none waits, or all that wait are held or being read from disk.
  [[nodiscard]] std::optional<Pick> pop();

  /// What was picked of `flow` has so many segments more than the one that the pick has paid. More
  /// than 255 turns are never owed. Costs the same whatever waits or is owed; allocates nothing
  /// that a push would not.
  void charge(Priority priority, Flow flow, std::uint32_t further_segments);

  /// From now on nothing of `flow` is picked, of any priority, until release(). Holding twice is
  /// holding once. Costs the same whatever waits.
  void hold(Flow flow);
  /// The flow takes its turn behind the others.
  void release(Flow flow);
  [[nodiscard]] bool is_held(Flow flow) const noexcept;
  /// From now on nothing is picked at all, until release_all(), which leaves held flows held.
  void hold_all() noexcept;
  void release_all() noexcept;
  [[nodiscard]] bool is_held_all() const noexcept;

  /// How many segments `flow` may send in one turn, 1 (where nothing was said) to kWeightMax.
  void set_weight(Flow flow, std::uint16_t weight);

  /// Takes out up to `max` tickets of `flow`, held or not, urgent ones first, each priority from
  /// its front, and calls `sink` for each; `sink` may not touch these lanes. Returns how many. The
  /// flow is drained when waiting_of() is 0, not when fewer than `max` came: some may have to be
  /// read from disk first, and come at a later call.
  std::size_t take_flow(Flow flow, std::size_t max, const Sink& sink);
  /// The same with all flows, one after the other, held or not.
  std::size_t take_all(std::size_t max, const Sink& sink);

  /// Takes out up to `max` tickets whose `expires` is at or before step `now`, held or not, calling
  /// `sink` for each; `sink` may not touch these lanes. Returns how many. What is left over comes
  /// at later calls, and so does what has to be read from disk first, a few blocks at a time: until
  /// then earliest_expiry() stays in the past. Chunks and blocks whose earliest expiry lies ahead
  /// are passed over unread, and when nothing can have expired the call costs nothing.
  std::size_t take_expired(std::uint32_t now, std::size_t max, const Sink& sink);
  /// All of them that are in memory: for lanes that hold few.
  void take_expired(std::uint32_t now, const Sink& sink) {
    (void)take_expired(now, static_cast<std::size_t>(-1), sink);
  }
  /// No ticket expires before this step; nothing when none waits. take_expired() at this step
  /// makes it exact: a ticket that was sent meanwhile may have set it.
  [[nodiscard]] std::optional<std::uint32_t> earliest_expiry() const noexcept;

  /// All that wait, held ones too.
  [[nodiscard]] std::size_t waiting() const noexcept;
  [[nodiscard]] std::size_t waiting(Priority priority) const noexcept;
  /// Of one flow, in all priorities; costs the same whatever waits.
  [[nodiscard]] std::size_t waiting_of(Flow flow) const noexcept;
  /// Those of held flows: they are in waiting() too. hold_all() does not change it.
  [[nodiscard]] std::size_t waiting_held() const noexcept;
  /// Those whose ticket is not in a chunk in memory: on disk, or on the way there or back.
  [[nodiscard]] std::size_t waiting_spilled() const noexcept;
  /// Whether pop() would give one.
  [[nodiscard]] bool has_ready() const noexcept;
  /// When the longest-waiting chunk of this priority got its first ticket; nothing when none waits.
  /// Asks each flow: for a scrape, not for each message.
  [[nodiscard]] std::optional<std::uint32_t> oldest_since(Priority priority) const noexcept;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace stentor::queue
