// One priority of a carrier: the flows that have something waiting, and whose turn it is.
//
// Internal to lanes. Flows take turns in a ring, each as many tickets a turn as its weight; outside
// the ring stands who is held, and who has nothing to send until a block is read from disk.
//
// Units    Counts are tickets; seconds are Unix time, passed in.
// Owns     The queues of its flows; a flow of which nothing waits is forgotten.
// Threads  One thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "queue/ticket_queue.h"

namespace stentor::queue {

/// How a flow takes part; what is kept of it while nothing of it waits.
struct FlowTerms {
  std::uint16_t weight = 1;
  bool is_held = false;

  friend bool operator==(const FlowTerms&, const FlowTerms&) = default;
};

class Lane {
 public:
  using TermsOf = std::function<FlowTerms(Flow)>;
  using Sink = std::function<void(Flow, const Ticket&)>;

  /// Asks `terms_of` when a flow comes (again). `number` tells this lane's blocks from those of
  /// others in the same space.
  Lane(TicketSpace& space, std::uint32_t number, TermsOf terms_of);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void push(Flow flow, Ticket ticket, std::uint32_t now);
  void push_front(Flow flow, Ticket ticket, std::uint32_t now);

  struct Picked {
    Flow flow;
    Ticket ticket;
  };
  /// Something must be ready.
  [[nodiscard]] Picked pop();

  void set_terms(Flow flow, FlowTerms terms);
  std::size_t take_flow(Flow flow, std::size_t max, const Sink& sink);
  std::size_t take_all(std::size_t max, const Sink& sink);
  std::size_t take_expired(std::uint32_t now, std::size_t max, const Sink& sink);
  /// The lane's number is in the bits of a tag above these, the member's index in them.
  static constexpr std::uint32_t kMemberBits = 30;
  /// A block of the queue tagged so is here.
  void on_ready(std::uint32_t tag);

  [[nodiscard]] bool is_ready() const noexcept { return turn_ != kNobody; }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t held() const noexcept { return held_; }
  [[nodiscard]] std::size_t waiting_of(Flow flow) const noexcept;
  [[nodiscard]] std::uint32_t earliest() const noexcept { return earliest_; }
  [[nodiscard]] std::optional<std::uint32_t> oldest_since() const noexcept;

 private:
  static constexpr std::uint32_t kNobody = 0xffffffff;
  enum class Turn : std::uint8_t { next, last };

  // A cache line each, so that a pick among thousands of flows touches one.
  struct alignas(64) Member {
    TicketQueue tickets;
    Flow flow = 0;
    std::uint32_t before = kNobody;
    std::uint32_t after = kNobody;
    FlowTerms terms;
    std::uint16_t left = 0;  ///< tickets it may still send in this turn
    bool is_in_ring = false;
  };
  static_assert(sizeof(Member) == 64);

  [[nodiscard]] std::uint32_t member_of(Flow flow);
  void count_in(const Member& member, const Ticket& ticket) noexcept;
  void count_out(const Member& member, std::size_t tickets) noexcept;
  /// Puts the flow in the ring or takes it out, as it has something to send or not.
  void place(std::uint32_t index, Turn turn);
  void enter(std::uint32_t index, Turn turn) noexcept;
  void leave(std::uint32_t index) noexcept;
  void forget(std::uint32_t index);
  std::size_t take(std::uint32_t index, std::size_t max, const Sink& sink);

  TicketSpace& space_;
  const std::uint32_t number_;
  TermsOf terms_of_;
  std::vector<Member> members_;  // as many as there ever were flows at once
  std::vector<std::uint32_t> unused_;
  boost::unordered_flat_map<Flow, std::uint32_t> index_;
  std::uint32_t turn_ = kNobody;
  std::uint32_t earliest_ = kNever;
  std::size_t waiting_ = 0;
  std::size_t held_ = 0;
};

}  // namespace stentor::queue
