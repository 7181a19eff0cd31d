#include "queue/lane.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stentor::queue {

Lane::Lane(TicketSpace& space, std::uint32_t number, TermsOf terms_of)
    : space_(space), number_(number), terms_of_(std::move(terms_of)) {
  slots_.fill(kNobody);
}

Lane::~Lane() {
  for (Member& member : members_) member.tickets.clear(space_);
}

void Lane::push(Flow flow, Ticket ticket, std::uint32_t now) {
  const std::uint32_t index = member_of(flow);
  Member& member = members_[index];
  member.tickets.push(space_, ticket, now);
  count_in(member, ticket);
  if (member.stand != Stand::in_ring) place(index, Turn::last);
}

void Lane::push_front(Flow flow, Ticket ticket, std::uint32_t now) {
  const std::uint32_t index = member_of(flow);
  Member& member = members_[index];
  member.tickets.push_front(space_, ticket, now);
  count_in(member, ticket);
  if (member.stand != Stand::in_ring) place(index, Turn::next);
}

Lane::Picked Lane::pop() {
  assert(is_ready() && "only a lane where something is ready is picked from");
  const std::uint32_t index = turn_;
  Member& member = members_[index];
  const Picked picked{member.flow, member.tickets.pop(space_)};
  --waiting_;
  if (--member.left == 0) {
    member.left = member.terms.weight;
    end_turn(member);
  }
  if (!member.tickets.has_front()) {
    place(index, Turn::last);
  } else if (is_round_over_) {
    pass_rounds();
  }
  if (turn_ != kNobody) {
    // With thousands of flows each pick is at a place of its own: fetch the next ones meanwhile.
    const Member& coming = members_[turn_];
    coming.tickets.prefetch();
    __builtin_prefetch(&members_[coming.after]);
  }
  return picked;
}

// Nobody else competes: nobody is owed anything.
bool Lane::is_alone(Flow flow) const noexcept {
  if (sitting_out_ > 0) return false;
  return turn_ == kNobody || (members_[turn_].after == turn_ && members_[turn_].flow == flow);
}

void Lane::charge(Flow flow, std::uint32_t tickets) {
  if (tickets == 0 || is_alone(flow)) return;
  const std::uint32_t index = member_of(flow);  // again, where its last ticket went
  Member& member = members_[index];
  if (tickets < member.left) {
    member.left = static_cast<std::uint16_t>(member.left - tickets);
    return place(index, Turn::last);
  }
  const std::uint16_t weight = member.terms.weight;
  const bool is_its_turn = turn_ == index && member.left < weight;
  tickets -= member.left;
  member.left = static_cast<std::uint16_t>(weight - tickets % weight);
  // A turn that had not begun is the first that it sits out.
  const std::uint32_t turns =
      std::min(tickets / weight + (is_its_turn ? 0 : 1), std::uint32_t{kRoundsOwedMax});
  if (turns == 0) {
    end_turn(member);
    return pass_rounds();
  }
  std::uint32_t next = member.round;
  if (!owes(member)) next = is_its_turn || member.round == round_ ? round_ + 1 : round_;
  if (member.stand == Stand::sits_out) stop_sitting_out(index);
  member.round = round_ + std::min(next - round_ + turns, std::uint32_t{kRoundsOwedMax});
  if (member.stand == Stand::in_ring) leave(index);  // a round may end with it
  place(index, Turn::last);
}

void Lane::set_terms(Flow flow, FlowTerms terms) {
  const auto known = index_.find(flow);
  if (known == index_.end()) return;
  Member& member = members_[known->second];
  const FlowTerms before = std::exchange(member.terms, terms);
  member.left = std::clamp<std::uint16_t>(member.left, 1, terms.weight);
  if (before.is_held == terms.is_held) return;
  if (terms.is_held) {
    held_ += member.tickets.count();
    member.left = terms.weight;  // its next turn is a whole one
  } else {
    held_ -= member.tickets.count();
  }
  place(known->second, Turn::last);
}

std::size_t Lane::take_flow(Flow flow, std::size_t max, const Sink& sink) {
  const auto known = index_.find(flow);
  return known == index_.end() ? 0 : take(known->second, max, sink);
}

std::size_t Lane::take_all(std::size_t max, const Sink& sink) {
  std::size_t taken = 0;
  for (std::uint32_t index = 0; index < members_.size() && taken < max; ++index) {
    if (members_[index].tickets.count() > 0) taken += take(index, max - taken, sink);
  }
  return taken;
}

std::size_t Lane::take(std::uint32_t index, std::size_t max, const Sink& sink) {
  Member& member = members_[index];
  std::size_t taken = 0;
  while (taken < max && member.tickets.has_front()) {
    const Ticket ticket = member.tickets.pop(space_);
    count_out(member, 1);
    ++taken;
    sink(member.flow, ticket);
  }
  place(index, Turn::last);
  return taken;
}

std::size_t Lane::take_expired(std::uint32_t now, std::size_t max, const Sink& sink) {
  if (earliest_ > now) return 0;
  earliest_ = kNever;
  std::size_t taken = 0;
  for (std::uint32_t index = 0; index < members_.size(); ++index) {
    Member& member = members_[index];
    if (member.tickets.count() == 0) continue;
    if (member.tickets.earliest() <= now && taken < max) {
      const std::size_t expired = member.tickets.take_expired(
          space_, now, max - taken, [&](const Ticket& ticket) { sink(member.flow, ticket); });
      count_out(member, expired);
      taken += expired;
      place(index, Turn::last);
    }
    earliest_ = std::min(earliest_, members_[index].tickets.earliest());
  }
  return taken;
}

void Lane::on_ready(std::uint32_t tag) {
  const std::uint32_t member = tag & ((1u << kMemberBits) - 1);
  // It may be another flow's by now, or nobody's.
  if (member >= members_.size() || members_[member].tickets.count() == 0) return;
  members_[member].tickets.refill(space_);
  place(member, Turn::last);
}

std::size_t Lane::waiting_of(Flow flow) const noexcept {
  const auto known = index_.find(flow);
  return known == index_.end() ? 0 : members_[known->second].tickets.count();
}

std::optional<std::uint32_t> Lane::oldest_since() const noexcept {
  if (waiting_ == 0) return std::nullopt;
  std::uint32_t oldest = kNever;
  for (const Member& member : members_) {
    if (member.tickets.count() > 0) oldest = std::min(oldest, member.tickets.since());
  }
  return oldest;
}

std::uint32_t Lane::member_of(Flow flow) {
  const auto [known, is_new] = index_.try_emplace(flow, kNobody);
  if (!is_new) return known->second;
  std::uint32_t index = 0;
  if (unused_.empty()) {
    index = static_cast<std::uint32_t>(members_.size());
    members_.emplace_back();
  } else {
    index = unused_.back();
    unused_.pop_back();
  }
  known->second = index;
  Member& member = members_[index];
  member.tickets.set_tag(number_ << kMemberBits | index);
  member.flow = flow;
  member.terms = terms_of_(flow);
  member.left = member.terms.weight;
  member.round = round_;
  return index;
}

void Lane::count_in(const Member& member, const Ticket& ticket) noexcept {
  earliest_ = std::min(earliest_, ticket.expires);
  ++waiting_;
  if (member.terms.is_held) ++held_;
}

void Lane::count_out(const Member& member, std::size_t tickets) noexcept {
  waiting_ -= tickets;
  if (member.terms.is_held) held_ -= tickets;
}

void Lane::place(std::uint32_t index, Turn turn) {
  move_to_stand(index, turn);
  pass_rounds();
}

void Lane::move_to_stand(std::uint32_t index, Turn turn) {
  Member& member = members_[index];
  const bool can_send = member.tickets.has_front() && !member.terms.is_held;
  const bool is_empty = member.tickets.count() == 0;
  Stand stand = Stand::outside;
  if (owes(member)) {
    if (can_send || is_empty) stand = Stand::sits_out;
  } else if (can_send) {
    stand = Stand::in_ring;
  }
  if (member.stand != stand) {
    if (member.stand == Stand::in_ring) leave(index);
    if (member.stand == Stand::sits_out) stop_sitting_out(index);
    if (stand == Stand::in_ring) enter(index, turn);
    if (stand == Stand::sits_out) sit_out(index);
  }
  if (is_empty && stand == Stand::outside) forget(index);
}

void Lane::enter(std::uint32_t index, Turn turn) noexcept {
  Member& member = members_[index];
  member.stand = Stand::in_ring;
  if (turn_ == kNobody) {
    member.before = member.after = turn_ = first_ = index;
    return;
  }
  // Before the one whose turn it is: that is behind all others, unless the turn moves here.
  member.after = turn_;
  member.before = members_[turn_].before;
  members_[member.before].after = index;
  members_[turn_].before = index;
  if (turn == Turn::last) return;
  if (first_ == turn_) first_ = index;
  turn_ = index;
}

void Lane::leave(std::uint32_t index) noexcept {
  Member& member = members_[index];
  member.stand = Stand::outside;
  if (member.after == index) {
    turn_ = first_ = kNobody;
    return;
  }
  members_[member.before].after = member.after;
  members_[member.after].before = member.before;
  if (first_ == index) {
    first_ = member.after;
    if (turn_ == index) turn_ = member.after;
  } else if (turn_ == index) {
    pass_turn_to(member.after);
  }
}

void Lane::end_turn(Member& member) noexcept {
  member.round = round_;
  pass_turn_to(member.after);
}

void Lane::pass_turn_to(std::uint32_t index) noexcept {
  turn_ = index;
  if (turn_ != first_) return;
  if (sitting_out_ == 0) {
    ++round_;
  } else {
    is_round_over_ = true;
  }
}

void Lane::sit_out(std::uint32_t index) noexcept {
  Member& member = members_[index];
  member.stand = Stand::sits_out;
  ++sitting_out_;
  std::uint32_t& head = slots_[member.round % kSlots];
  if (head == kNobody) {
    member.before = member.after = head = index;
    return;
  }
  member.after = head;
  member.before = members_[head].before;
  members_[member.before].after = index;
  members_[head].before = index;
}

void Lane::stop_sitting_out(std::uint32_t index) noexcept {
  Member& member = members_[index];
  member.stand = Stand::outside;
  --sitting_out_;
  std::uint32_t& head = slots_[member.round % kSlots];
  if (member.after == index) {
    head = kNobody;
    return;
  }
  members_[member.before].after = member.after;
  members_[member.after].before = member.before;
  if (head == index) head = member.after;
}

// Who has paid takes part again, behind those who wait.
void Lane::pass_rounds() {
  while (is_round_over_ || (turn_ == kNobody && sitting_out_ > 0)) {
    is_round_over_ = false;
    ++round_;
    const std::uint32_t& head = slots_[round_ % kSlots];
    while (head != kNobody) {
      const std::uint32_t index = head;
      stop_sitting_out(index);
      move_to_stand(index, Turn::last);
    }
  }
  // Nobody waits for a turn: what those that are held owe is forgiven.
  if (turn_ == kNobody) round_ += kRoundsOwedMax;
}

void Lane::forget(std::uint32_t index) {
  Member& member = members_[index];
  index_.erase(member.flow);
  member.tickets.clear(space_);
  member = Member{};
  unused_.push_back(index);
}

}  // namespace stentor::queue
