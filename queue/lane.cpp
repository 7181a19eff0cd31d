#include "queue/lane.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stentor::queue {

Lane::Lane(ChunkStore& store, TermsOf terms_of) : store_(store), terms_of_(std::move(terms_of)) {}

Lane::~Lane() {
  for (Member& member : members_) member.tickets.clear(store_);
}

void Lane::push(Flow flow, Ticket ticket, std::uint32_t now) {
  Member& member = member_of(flow, Turn::last);
  member.tickets.push(store_, ticket, now);
  count_in(member, ticket);
}

void Lane::push_front(Flow flow, Ticket ticket, std::uint32_t now) {
  Member& member = member_of(flow, Turn::next);
  member.tickets.push_front(store_, ticket, now);
  count_in(member, ticket);
}

Lane::Picked Lane::pop() {
  assert(is_ready() && "only a lane where something is ready is picked from");
  const std::uint32_t index = turn_;
  Member& member = members_[index];
  const Picked picked{member.flow, member.tickets.pop(store_)};
  --waiting_;
  if (--member.left == 0) {
    member.left = member.terms.weight;
    turn_ = member.after;
  }
  if (member.tickets.is_empty()) forget(index);
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
    leave(known->second);
    held_ += member.tickets.count();
    member.left = terms.weight;  // its next turn is a whole one
  } else {
    held_ -= member.tickets.count();
    enter(known->second, Turn::last);
  }
}

std::size_t Lane::take_flow(Flow flow, std::size_t max, const Sink& sink) {
  const auto known = index_.find(flow);
  return known == index_.end() ? 0 : take(known->second, max, sink);
}

std::size_t Lane::take_all(std::size_t max, const Sink& sink) {
  std::size_t taken = 0;
  while (taken < max && !index_.empty()) {
    taken += take(index_.begin()->second, max - taken, sink);
  }
  return taken;
}

std::size_t Lane::take(std::uint32_t index, std::size_t max, const Sink& sink) {
  Member& member = members_[index];
  std::size_t taken = 0;
  while (taken < max && !member.tickets.is_empty()) {
    const Ticket ticket = member.tickets.pop(store_);
    count_out(member, 1);
    ++taken;
    sink(member.flow, ticket);
  }
  if (member.tickets.is_empty()) forget(index);
  return taken;
}

void Lane::take_expired(std::uint32_t now, const Sink& sink) {
  if (earliest_ > now) return;
  earliest_ = kNever;
  for (std::uint32_t index = 0; index < members_.size(); ++index) {
    Member& member = members_[index];
    if (member.tickets.is_empty()) continue;
    if (member.tickets.earliest() <= now) {
      const std::size_t before = member.tickets.count();
      member.tickets.take_expired(store_, now,
                                  [&](const Ticket& ticket) { sink(member.flow, ticket); });
      count_out(member, before - member.tickets.count());
    }
    if (member.tickets.is_empty()) {
      forget(index);
    } else {
      earliest_ = std::min(earliest_, member.tickets.earliest());
    }
  }
}

std::size_t Lane::waiting_of(Flow flow) const noexcept {
  const auto known = index_.find(flow);
  return known == index_.end() ? 0 : members_[known->second].tickets.count();
}

std::optional<std::uint32_t> Lane::oldest_since() const noexcept {
  if (waiting_ == 0) return std::nullopt;
  std::uint32_t oldest = kNever;
  for (const Member& member : members_) {
    if (!member.tickets.is_empty()) oldest = std::min(oldest, member.tickets.since());
  }
  return oldest;
}

// A flow that is new here takes its turn as said.
Lane::Member& Lane::member_of(Flow flow, Turn turn) {
  const auto [known, is_new] = index_.try_emplace(flow, kNobody);
  if (!is_new) return members_[known->second];
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
  member.flow = flow;
  member.terms = terms_of_(flow);
  member.left = member.terms.weight;
  if (!member.terms.is_held) enter(index, turn);
  return member;
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

void Lane::enter(std::uint32_t index, Turn turn) noexcept {
  Member& member = members_[index];
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
  member.before = member.after = kNobody;
}

void Lane::forget(std::uint32_t index) {
  Member& member = members_[index];
  if (member.after != kNobody) leave(index);
  index_.erase(member.flow);
  member = Member{};
  unused_.push_back(index);
}

}  // namespace stentor::queue
