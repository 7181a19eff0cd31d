#include "daemon/delivery/order_hold.h"

#include <algorithm>

namespace stentor::daemon {

void OrderHold::hold(const queue::Ticket& holder, std::uint64_t since_ms, std::uint64_t now_ms) {
  if (at_most_ms_ == 0) return;
  // A clock that was set back must not make it hold for longer.
  const std::uint64_t until = std::min(since_ms, now_ms) + at_most_ms_;
  const auto known = key_of_.find(holder.at.bits());
  if (known != key_of_.end()) return;
  if (key_of_.size() >= kHoldersMax) return;
  key_of_.emplace(holder.at.bits(), holder.key);
  keys_[holder.key].holders.push_back({holder.at, until});
  if (until > now_ms) due_.emplace(until, holder.key);
}

void OrderHold::end(queue::Locator holder, std::uint64_t now_ms) {
  const auto known = key_of_.find(holder.bits());
  if (known == key_of_.end()) return;
  const auto key = keys_.find(known->second);
  key_of_.erase(known);
  auto& holders = key->second.holders;
  holders.erase(std::ranges::find(holders, holder, &Holder::at));
  release_if(key,
             [&](const Pick& pick) { return !holds_back(key->second, pick.ticket.at, now_ms); });
  drop_if_empty(key);
}

bool OrderHold::holds_back(const Key& key, queue::Locator at, std::uint64_t now_ms) {
  return std::ranges::any_of(key.holders, [&](const Holder& holder) {
    return holder.at < at && holder.until_ms > now_ms;
  });
}

bool OrderHold::holds_back(const queue::Ticket& ticket, std::uint64_t now_ms) const {
  return is_behind_waiting(ticket, now_ms) ||
         // What was released has not gone yet.
         std::ranges::any_of(released_, [&](const Pick& pick) {
           return pick.ticket.key == ticket.key && pick.ticket.at < ticket.at;
         });
}

bool OrderHold::is_behind_waiting(const queue::Ticket& ticket, std::uint64_t now_ms) const {
  const auto key = keys_.find(ticket.key);
  if (key == keys_.end()) return false;
  // What waits already was accepted before it, and may be behind a holder that it is not behind.
  const auto is_before = [&](const Pick& pick) { return pick.ticket.at < ticket.at; };
  return holds_back(key->second, ticket.at, now_ms) ||
         std::ranges::any_of(key->second.waiting, is_before);
}

std::optional<queue::Locator> OrderHold::passes(const queue::Ticket& ticket) const {
  const auto key = keys_.find(ticket.key);
  if (key == keys_.end()) return std::nullopt;
  const auto passed = std::ranges::find_if(
      key->second.holders, [&](const Holder& holder) { return holder.at < ticket.at; });
  if (passed == key->second.holders.end()) return std::nullopt;
  return passed->at;
}

void OrderHold::park(const Pick& pick, std::uint64_t now_ms) {
  if (!is_behind_waiting(pick.ticket, now_ms)) {
    released_.push_back(pick);  // it goes with those before it
    return;
  }
  const auto key = keys_.find(pick.ticket.key);
  key->second.waiting.push_back(pick);
  earliest_expiry_ =
      waiting_ == 0 ? pick.ticket.expires : std::min(earliest_expiry_, pick.ticket.expires);
  ++waiting_;
  ++by_priority_[static_cast<std::size_t>(pick.priority)];
  if (waiting_ <= kWaitingMax) return;
  for (Holder& holder : key->second.holders) holder.until_ms = std::min(holder.until_ms, now_ms);
  release_if(key, [](const Pick&) { return true; });
}

void OrderHold::on_time(std::uint64_t now_ms) {
  while (!due_.empty() && due_.top().first <= now_ms) {
    const auto key = keys_.find(due_.top().second);
    due_.pop();
    if (key == keys_.end()) continue;
    release_if(key,
               [&](const Pick& pick) { return !holds_back(key->second, pick.ticket.at, now_ms); });
  }
}

void OrderHold::release_flow(queue::Flow flow) {
  if (waiting_ == 0) return;
  for (auto key = keys_.begin(); key != keys_.end(); ++key) {
    release_if(key, [flow](const Pick& pick) { return pick.flow == flow; });
  }
}

void OrderHold::release_all() {
  if (waiting_ == 0) return;
  for (auto key = keys_.begin(); key != keys_.end(); ++key) {
    release_if(key, [](const Pick&) { return true; });
  }
}

std::vector<OrderHold::Pick> OrderHold::take_released() {
  std::vector<Pick> released;
  released.swap(released_);
  std::ranges::sort(released, std::ranges::greater{},
                    [](const Pick& pick) { return pick.ticket.at; });
  return released;
}

std::vector<OrderHold::Pick> OrderHold::take_expired(std::uint32_t now, std::size_t max) {
  std::vector<Pick> expired;
  if (waiting_ == 0 || earliest_expiry_ > now) return expired;
  earliest_expiry_ = UINT32_MAX;
  for (auto& [name, key] : keys_) {
    std::erase_if(key.waiting, [&](const Pick& pick) {
      if (pick.ticket.expires > now || expired.size() == max) {
        earliest_expiry_ = std::min(earliest_expiry_, pick.ticket.expires);
        return false;
      }
      --waiting_;
      --by_priority_[static_cast<std::size_t>(pick.priority)];
      expired.push_back(pick);
      return true;
    });
  }
  return expired;
}

std::optional<std::uint32_t> OrderHold::earliest_expiry() const noexcept {
  if (waiting_ == 0) return std::nullopt;
  return earliest_expiry_;
}

std::optional<std::uint64_t> OrderHold::next_ms() const noexcept {
  if (!released_.empty()) return 0;
  if (waiting_ == 0 || due_.empty()) return std::nullopt;
  return due_.top().first;
}

std::size_t OrderHold::waiting_of(queue::Flow flow) const noexcept {
  if (waiting_ == 0) return 0;
  std::size_t count = 0;
  for (const auto& [name, key] : keys_) {
    count += static_cast<std::size_t>(std::ranges::count(key.waiting, flow, &Pick::flow));
  }
  return count;
}

void OrderHold::release_if(Keys::iterator key, const std::function<bool(const Pick&)>& is_free) {
  std::erase_if(key->second.waiting, [&](const Pick& pick) {
    if (!is_free(pick)) return false;
    --waiting_;
    --by_priority_[static_cast<std::size_t>(pick.priority)];
    released_.push_back(pick);
    return true;
  });
}

void OrderHold::drop_if_empty(Keys::iterator key) {
  if (key->second.holders.empty() && key->second.waiting.empty()) keys_.erase(key);
}

}  // namespace stentor::daemon
