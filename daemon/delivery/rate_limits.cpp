#include "daemon/delivery/rate_limits.h"

#include <algorithm>
#include <cassert>

#include "daemon/delivery/name_pattern.h"

namespace stentor::daemon {

RateLimits::RateLimits(const std::vector<RateLimit>& limits) : limits_(limits) {
  smooth_.reserve(limits.size());
  for (const RateLimit& limit : limits) smooth_.emplace_back(limit.rate);
}

RateLimits::Match RateLimits::match(std::string_view from, std::string_view to) const {
  Match found;
  std::size_t longest = 0;
  if (to.starts_with('+')) to.remove_prefix(1);
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    const RateLimit& limit = limits_[i];
    if (!limit.sender.empty()) {
      if (found.sender == kNone && matches_name(limit.sender, from)) {
        found.sender = static_cast<std::uint16_t>(i);
      }
    } else if (limit.prefix.size() > longest && to.starts_with(limit.prefix)) {
      found.prefix = static_cast<std::uint16_t>(i);
      longest = limit.prefix.size();
    }
  }
  return found;
}

RateLimits::TimePoint RateLimits::next_of(const Match& match) const noexcept {
  TimePoint next{};
  if (match.sender != kNone) next = smooth_[match.sender].next();
  if (match.prefix != kNone) next = std::max(next, smooth_[match.prefix].next());
  return next;
}

bool RateLimits::may_go(const Match& match, TimePoint now) const {
  return next_of(match) <= now &&
         std::ranges::none_of(groups_, [&](const Group& group) { return group.match == match; });
}

void RateLimits::take(const Match& match, std::uint32_t segments, TimePoint now) {
  if (match.sender != kNone) smooth_[match.sender].take(segments, now);
  if (match.prefix != kNone) smooth_[match.prefix].take(segments, now);
}

RateLimits::Group& RateLimits::group_of(const Match& match) {
  const auto known = std::ranges::find(groups_, match, &Group::match);
  if (known != groups_.end()) return *known;
  return groups_.emplace_back(Group{match, std::make_unique<queue::Lanes>()});
}

void RateLimits::count_in(const queue::Ticket& ticket) noexcept {
  earliest_expiry_ = waiting_ == 0 ? ticket.expires : std::min(earliest_expiry_, ticket.expires);
  ++waiting_;
}

void RateLimits::park(const Match& match, const queue::Lanes::Pick& pick,
                      std::uint32_t now_seconds) {
  assert(match.is_any() && "only what comes under a limit is parked");
  group_of(match).lanes->push(pick.priority, pick.flow, pick.ticket, now_seconds);
  count_in(pick.ticket);
}

void RateLimits::put_back(const Parked& parked, std::uint32_t now_seconds) {
  group_of(parked.match)
      .lanes->push_front(parked.pick.priority, parked.pick.flow, parked.pick.ticket, now_seconds);
  count_in(parked.pick.ticket);
}

std::optional<RateLimits::Parked> RateLimits::take_from(std::size_t index) {
  Group& group = groups_[index];
  const auto pick = group.lanes->pop();
  assert(pick && "a group without anything is gone");
  Parked parked{*pick, group.match};
  --waiting_;
  turn_ = index + 1;
  if (group.lanes->waiting() == 0) {
    groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(index));
    turn_ = index;
  }
  return parked;
}

std::optional<RateLimits::Parked> RateLimits::pop_ready(TimePoint now) {
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const std::size_t index = (turn_ + i) % groups_.size();
    if (next_of(groups_[index].match) <= now) return take_from(index);
  }
  return std::nullopt;
}

std::optional<RateLimits::Parked> RateLimits::pop_any() {
  if (groups_.empty()) return std::nullopt;
  return take_from(turn_ % groups_.size());
}

std::size_t RateLimits::take_flow(queue::Flow flow, std::size_t max,
                                  const queue::Lanes::Sink& sink) {
  std::size_t taken = 0;
  for (const Group& group : groups_) {
    if (taken < max) taken += group.lanes->take_flow(flow, max - taken, sink);
  }
  waiting_ -= taken;
  std::erase_if(groups_, [](const Group& group) { return group.lanes->waiting() == 0; });
  return taken;
}

std::size_t RateLimits::waiting_of(queue::Flow flow) const noexcept {
  std::size_t sum = 0;
  for (const Group& group : groups_) sum += group.lanes->waiting_of(flow);
  return sum;
}

std::size_t RateLimits::take_expired(std::uint32_t now, std::size_t max,
                                     const queue::Lanes::Sink& sink) {
  if (waiting_ == 0 || earliest_expiry_ > now) return 0;
  earliest_expiry_ = UINT32_MAX;
  std::size_t taken = 0;
  for (const Group& group : groups_) {
    if (taken < max) taken += group.lanes->take_expired(now, max - taken, sink);
    earliest_expiry_ =
        std::min(earliest_expiry_, group.lanes->earliest_expiry().value_or(UINT32_MAX));
  }
  waiting_ -= taken;
  std::erase_if(groups_, [](const Group& group) { return group.lanes->waiting() == 0; });
  return taken;
}

std::size_t RateLimits::waiting(queue::Priority priority) const noexcept {
  std::size_t sum = 0;
  for (const Group& group : groups_) sum += group.lanes->waiting(priority);
  return sum;
}

std::optional<std::uint32_t> RateLimits::oldest_since(queue::Priority priority) const noexcept {
  std::optional<std::uint32_t> oldest;
  for (const Group& group : groups_) {
    const auto since = group.lanes->oldest_since(priority);
    if (since && (!oldest || *since < *oldest)) oldest = since;
  }
  return oldest;
}

RateLimits::TimePoint RateLimits::next() const noexcept {
  auto earliest = TimePoint::max();
  for (const Group& group : groups_) earliest = std::min(earliest, next_of(group.match));
  return earliest;
}

std::string RateLimits::holding_most() const {
  const Group* most = nullptr;
  for (const Group& group : groups_) {
    if (most == nullptr || group.lanes->waiting() > most->lanes->waiting()) most = &group;
  }
  if (most == nullptr) return {};
  // Of two limits the one that is free later is the one that holds.
  const Match& match = most->match;
  const bool is_sender =
      match.prefix == kNone ||
      (match.sender != kNone && smooth_[match.sender].next() >= smooth_[match.prefix].next());
  return is_sender ? "sender " + limits_[match.sender].sender
                   : "prefix " + limits_[match.prefix].prefix;
}

}  // namespace stentor::daemon
