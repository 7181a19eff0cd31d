// The waiting messages of one carrier: priorities first, then fair share between flows.
//
// `urgent` goes before all else. `normal` and `bulk` share what is left: while both wait, `bulk`
// gets at least one pick in kBulkShare. Within a priority, flows take turns (deficit round robin),
// so that a campaign of ten million does not delay one of ten. Within a flow: first in, first out.
//
// Units    Counts are messages; seconds are Unix time, passed in.
// Owns     The tickets, in chunks of kChunkTickets; an empty chunk is freed.
// Errors   None: allocation failure aside, every ticket finds a place. The caller bounds the total.
// Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "queue/ticket.h"

namespace stentor::queue {

inline constexpr std::uint32_t kBulkShare = 10;     // one pick in ten goes to bulk, whatever waits
inline constexpr std::size_t kChunkTickets = 255;   // a chunk is one 4 KiB page, header included

class Lanes {
 public:
  Lanes();
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
  [[nodiscard]] std::optional<Pick> pop();

  /// Takes out every ticket whose `expires` is at or before `now`, calling `sink` for each. Chunks
  /// whose earliest expiry lies ahead are passed over unread.
  void take_expired(std::uint32_t now, const std::function<void(const Pick&)>& sink);

  [[nodiscard]] std::size_t waiting() const noexcept;
  [[nodiscard]] std::size_t waiting(Priority priority) const noexcept;
  /// When the longest-waiting chunk of this priority got its first ticket; nothing when none waits.
  [[nodiscard]] std::optional<std::uint32_t> oldest_since(Priority priority) const noexcept;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace stentor::queue
