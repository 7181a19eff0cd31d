// Tickets that wait for a time: retries, and messages that must not go before it.
//
// Units    Times are milliseconds of whatever clock the caller counts by, always the same one.
// Owns     The entries, in pieces of kPieceEntries: growing moves none of them, so that no push
//          stalls for a copy of ten million.
// Errors   None: allocation failure aside, every ticket finds a place. The caller bounds the total.
// Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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

 private:
  static constexpr std::size_t kPieceEntries = 2048;  // 64 KiB
  using Piece = std::unique_ptr<Entry[]>;

  [[nodiscard]] Entry& at(std::size_t index) const noexcept {
    return pieces_[index / kPieceEntries][index % kPieceEntries];
  }
  void sift_down(Entry entry) noexcept;

  std::vector<Piece> pieces_;
  std::size_t size_ = 0;
};

}  // namespace stentor::queue
