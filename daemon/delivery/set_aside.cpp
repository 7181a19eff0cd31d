#include "daemon/delivery/set_aside.h"

#include <algorithm>

namespace stentor::daemon {

void SetAside::put(const Pick& pick) {
  earliest_expiry_ =
      picks_.empty() ? pick.ticket.expires : std::min(earliest_expiry_, pick.ticket.expires);
  if (!picks_.emplace(pick.ticket.at.bits(), pick).second) return;
  ++by_flow_[pick.flow];
  ++by_priority_[static_cast<std::size_t>(pick.priority)];
}

std::optional<SetAside::Pick> SetAside::take(queue::Locator at) {
  const auto found = picks_.find(at.bits());
  if (found == picks_.end()) return std::nullopt;
  const Pick pick = found->second;
  picks_.erase(found);
  count_out(pick);
  return pick;
}

std::size_t SetAside::take_flow(queue::Flow flow, std::size_t max, const Sink& sink) {
  if (waiting_of(flow) == 0) return 0;
  return take_if(max, [flow](const Pick& pick) { return pick.flow == flow; }, sink);
}

std::size_t SetAside::take_all(std::size_t max, const Sink& sink) {
  return take_if(max, [](const Pick&) { return true; }, sink);
}

std::size_t SetAside::take_expired(std::uint32_t now, std::size_t max, const Sink& sink) {
  if (picks_.empty() || earliest_expiry_ > now || max == 0) return 0;
  std::uint32_t earliest = UINT32_MAX;
  const auto has_expired = [&](const Pick& pick) {
    if (pick.ticket.expires <= now) return true;
    earliest = std::min(earliest, pick.ticket.expires);
    return false;
  };
  const std::size_t taken = take_if(max, has_expired, sink);
  if (taken < max) earliest_expiry_ = earliest;  // else not all were looked at
  return taken;
}

std::optional<std::uint32_t> SetAside::earliest_expiry() const noexcept {
  if (picks_.empty()) return std::nullopt;
  return earliest_expiry_;
}

std::size_t SetAside::waiting_of(queue::Flow flow) const noexcept {
  const auto found = by_flow_.find(flow);
  return found == by_flow_.end() ? 0 : found->second;
}

std::size_t SetAside::take_if(std::size_t max, const std::function<bool(const Pick&)>& is_meant,
                              const Sink& sink) {
  std::size_t taken = 0;
  for (auto each = picks_.begin(); each != picks_.end() && taken < max;) {
    if (!is_meant(each->second)) {
      ++each;
      continue;
    }
    const Pick pick = each->second;
    each = picks_.erase(each);
    count_out(pick);
    ++taken;
    sink(pick);
  }
  return taken;
}

void SetAside::count_out(const Pick& pick) {
  const auto flow = by_flow_.find(pick.flow);
  if (--flow->second == 0) by_flow_.erase(flow);
  --by_priority_[static_cast<std::size_t>(pick.priority)];
}

}  // namespace stentor::daemon
