#include "queue/lane.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stentor::queue {

Lane::Lane(TicketSpace& space, std::uint32_t number, TermsOf terms_of)
    : space_(space), number_(number), terms_of_(std::move(terms_of)) {}

Lane::~Lane() {
  for (Member& member : members_) member.tickets.clear(space_);
}

void Lane::push(Flow flow, Ticket ticket, std::uint32_t now) {
  const std::uint32_t index = member_of(flow);
  Member& member = members_[index];
  member.tickets.push(space_, ticket, now);
  count_in(member, ticket);
  if (!member.is_in_ring) place(index, Turn::last);
}

void Lane::push_front(Flow flow, Ticket ticket, std::uint32_t now) {
  const std::uint32_t index = member_of(flow);
  Member& member = members_[index];
  member.tickets.push_front(space_, ticket, now);
  count_in(member, ticket);
  if (!member.is_in_ring) place(index, Turn::next);
}

Lane::Picked Lane::pop() {
  assert(is_ready() && "only a lane where something is ready is picked from");
  const std::uint32_t index = turn_;
  Member& member = members_[index];
  const Picked picked{member.flow, member.tickets.pop(space_)};
  --waiting_;
  if (--member.left == 0) {
    member.left = member.terms.weight;
    turn_ = member.after;
  }
  if (!member.tickets.has_front()) place(index, Turn::last);
  if (turn_ != kNobody) {
    // With thousands of flows each pick is at a place of its own: fetch the next ones meanwhile.
    const Member& coming = members_[turn_];
    coming.tickets.prefetch();
    __builtin_prefetch(&members_[coming.after]);
  }
  return picked;
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
  Member& member = members_[index];
  const bool can_send = member.tickets.has_front() && !member.terms.is_held;
  if (member.is_in_ring && !can_send) leave(index);
  if (!member.is_in_ring && can_send) enter(index, turn);
  if (member.tickets.count() == 0) forget(index);
}

void Lane::enter(std::uint32_t index, Turn turn) noexcept {
  Member& member = members_[index];
  member.is_in_ring = true;
  if (turn_ == kNobody) {
    member.before = member.after = turn_ = index;
    return;
  }
  // Before the one whose turn it is: that is behind all others, unless the turn moves here.
  member.after = turn_;
  member.before = members_[turn_].before;
  members_[member.before].after = index;
  members_[turn_].before = index;
  if (turn == Turn::next) turn_ = index;
}

void Lane::leave(std::uint32_t index) noexcept {
  Member& member = members_[index];
  members_[member.before].after = member.after;
  members_[member.after].before = member.before;
  if (turn_ == index) turn_ = member.after == index ? kNobody : member.after;
  member.is_in_ring = false;
}

void Lane::forget(std::uint32_t index) {
  Member& member = members_[index];
  index_.erase(member.flow);
  member.tickets.clear(space_);
  member = Member{};
  unused_.push_back(index);
}

}  // namespace stentor::queue
