// Tickets that wait for a time: retries, and messages that must not go before it.
//
// A flow can be counted and taken out, as from Lanes (lanes.h); it is held there, not here.
//
// Units    Times are milliseconds of whatever clock the caller counts by, always the same one.
// Owns     The entries, in pieces of kPieceEntries: growing moves none of them, so that no push
//          stalls for a copy of ten million.
// Errors   None: allocation failure aside, every ticket finds a place. The caller bounds the total.
// Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "queue/ticket.h"

namespace stentor::queue {

class DueHeap {
 public:
  struct Entry {
    std::int64_t due_ms = 0;
    Ticket ticket{};
    Flow flow = 0;
    Priority priority = Priority::normal;
  };

  /// Costs at most log4(size) steps.
  void push(std::int64_t due_ms, Priority priority, Flow flow, Ticket ticket);
  /// The entry due first, if it is due at `now_ms`. Of those due at the same time the one accepted
  /// first goes first.
  [[nodiscard]] std::optional<Entry> pop_due(std::int64_t now_ms);
  /// Nothing when the heap is empty.
  [[nodiscard]] std::optional<std::int64_t> next_due() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  using Sink = std::function<void(const Entry&)>;
  /// Takes out up to `max` entries of `flow`, in any order, and calls `sink` for each; `sink` may
  /// not touch this heap. Returns how many. Looks at a bounded number of entries a call and goes on
  /// from there at the next: the flow is gone when waiting_of() is 0, not when fewer than `max`
  /// came.
  std::size_t take_flow(Flow flow, std::size_t max, const Sink& sink);
  /// Takes out up to `max` entries of whatever flow.
  std::size_t take_all(std::size_t max, const Sink& sink);
  /// How many entries of `flow` wait; costs the same whatever waits.
  [[nodiscard]] std::size_t waiting_of(Flow flow) const noexcept;

 private:
  static constexpr std::size_t kPieceEntries = 2048;  // 64 KiB
  using Piece = std::unique_ptr<Entry[]>;

  [[nodiscard]] Entry& at(std::size_t index) const noexcept {
    return pieces_[index / kPieceEntries][index % kPieceEntries];
  }
  void sift_up(std::size_t hole, const Entry& entry) noexcept;
  void sift_down(std::size_t hole, const Entry& entry) noexcept;
  void remove(std::size_t index) noexcept;
  void count_out(Flow flow) noexcept;

  std::vector<Piece> pieces_;
  std::size_t size_ = 0;
  std::unordered_map<Flow, std::size_t> by_flow_;
  // Where take_flow() goes on; entries move meanwhile, so that it goes round until none is left.
  Flow sought_ = 0;
  std::size_t look_below_ = 0;
};

}  // namespace stentor::queue
