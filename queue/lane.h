// One priority of a carrier: the flows that have something waiting, and whose turn it is.
//
// Internal to lanes. Flows take turns in a ring, each as many tickets a turn as its weight; outside
// the ring stands who is held, and who has nothing to send until a block is read from disk.
//
// A ticket that turns out to cost more takes it off the flow's turn at hand and its coming ones:
// of these it sits out as many as it owes, in a wheel of rounds. Rounds pass as the turn goes round
// the ring, and at once while nobody stands in it, so that nobody waits for a debt alone.
//
// Units    Counts are tickets, debts segments; seconds are Unix time, passed in.
// Owns     The queues of its flows; a flow of which nothing waits and that owes no round is
//          forgotten.
// Threads  One thread.
#pragma once

#include <array>
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

  /// What was picked of `flow` costs so many tickets more. Costs the same whatever is owed.
  void charge(Flow flow, std::uint32_t tickets);

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
  // More rounds than this are forgiven: what the longest message (255 segments) owes where its
  // weight is 1. Who is charged late, for several at once, can owe more.
  static constexpr std::uint32_t kRoundsOwedMax = 255;
  static constexpr std::uint32_t kSlots = kRoundsOwedMax + 1;
  enum class Turn : std::uint8_t { next, last };
  enum class Stand : std::uint8_t { outside, in_ring, sits_out };

  // A cache line each, so that a pick among thousands of flows touches one.
  struct alignas(64) Member {
    TicketQueue tickets;
    Flow flow = 0;
    std::uint32_t before = kNobody;
    std::uint32_t after = kNobody;
    FlowTerms terms;
    std::uint16_t left = 0;  ///< tickets it may still send in this turn, or in its next one
    Stand stand = Stand::outside;
    std::uint32_t round = 0;  ///< of its last turn; ahead: of its next one, until then it sits out
  };
  static_assert(sizeof(Member) == 64);

  [[nodiscard]] std::uint32_t member_of(Flow flow);
  void count_in(const Member& member, const Ticket& ticket) noexcept;
  void count_out(const Member& member, std::size_t tickets) noexcept;
  /// Puts the flow in the ring or takes it out, as it has something to send or not.
  void place(std::uint32_t index, Turn turn);
  void move_to_stand(std::uint32_t index, Turn turn);
  void enter(std::uint32_t index, Turn turn) noexcept;
  void leave(std::uint32_t index) noexcept;
  void sit_out(std::uint32_t index) noexcept;
  void stop_sitting_out(std::uint32_t index) noexcept;
  [[nodiscard]] bool is_alone(Flow flow) const noexcept;
  void end_turn(Member& member) noexcept;
  void pass_turn_to(std::uint32_t index) noexcept;
  void pass_rounds();
  [[nodiscard]] bool owes(const Member& member) const noexcept {
    return member.round - round_ - 1 < kRoundsOwedMax;  // rounds may wrap
  }
  void forget(std::uint32_t index);
  std::size_t take(std::uint32_t index, std::size_t max, const Sink& sink);

  TicketSpace& space_;
  const std::uint32_t number_;
  TermsOf terms_of_;
  std::vector<Member> members_;  // as many as there ever were flows at once
  std::vector<std::uint32_t> unused_;
  boost::unordered_flat_map<Flow, std::uint32_t> index_;
  std::uint32_t turn_ = kNobody;
  std::uint32_t first_ = kNobody;  // when the turn comes to it, a round is over
  std::uint32_t round_ = 0;
  bool is_round_over_ = false;
  std::size_t sitting_out_ = 0;
  std::array<std::uint32_t, kSlots> slots_;  // who has paid in a round: one of a ring of them
  std::uint32_t earliest_ = kNever;
  std::size_t waiting_ = 0;
  std::size_t held_ = 0;
};

}  // namespace stentor::queue
