// The waiting messages of one carrier: priorities first, then fair share between flows.
//
// `urgent` goes before all else. `normal` and `bulk` share what is left: while both wait, `bulk`
// gets one pick in kBulkShare. Within a priority, flows take turns, one ticket each (deficit round
// robin with equal weights), so that a campaign of ten million does not delay one of ten. Within a
// flow: first in, first out.
//
// Units    Counts are messages; seconds are Unix time, passed in.
// Owns     The tickets, in chunks (ticket_chunk.h); an empty chunk is freed. Ten million waiting
// are 161 MB. Errors   None: allocation failure aside, every ticket finds a place. The caller
// bounds the total. Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "queue/ticket.h"

namespace stentor::queue {

inline constexpr std::uint32_t kBulkShare = 10;  // one pick in ten that urgent leaves goes to bulk

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

  /// Takes out every ticket whose `expires` is at or before `now`, calling `sink` for each; `sink`
  /// may not touch these lanes. Chunks whose earliest expiry lies ahead are passed over unread, and
  /// when nothing can have expired the call costs nothing.
  void take_expired(std::uint32_t now, const std::function<void(const Pick&)>& sink);

  [[nodiscard]] std::size_t waiting() const noexcept;
  [[nodiscard]] std::size_t waiting(Priority priority) const noexcept;
  /// When the longest-waiting chunk of this priority got its first ticket; nothing when none waits.
  /// Asks each flow: for a scrape, not for each message.
  [[nodiscard]] std::optional<std::uint32_t> oldest_since(Priority priority) const noexcept;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace stentor::queue
