#include "daemon/delivery/set_aside.h"

namespace stentor::daemon {

void SetAside::put(const Pick& pick) {
  if (!picks_.emplace(pick.ticket.at.bits(), pick).second) return;
  by_expiry_.emplace(pick.ticket.expires, pick.ticket.at.bits());
  ++by_flow_[pick.flow];
  ++by_priority_[static_cast<std::size_t>(pick.priority)];
}

std::optional<SetAside::Pick> SetAside::take(queue::Locator at) {
  const auto found = picks_.find(at.bits());
  if (found == picks_.end()) return std::nullopt;
  return take_out(found);
}

std::size_t SetAside::take_flow(queue::Flow flow, std::size_t max, const Sink& sink) {
  if (waiting_of(flow) == 0) return 0;
  return take_if(max, [flow](const Pick& pick) { return pick.flow == flow; }, sink);
}

std::size_t SetAside::take_all(std::size_t max, const Sink& sink) {
  return take_if(max, [](const Pick&) { return true; }, sink);
}

std::size_t SetAside::take_expired(std::uint32_t now, std::size_t max, const Sink& sink) {
  std::size_t taken = 0;
  while (taken < max && !by_expiry_.empty() && by_expiry_.begin()->first <= now) {
    sink(take_out(picks_.find(by_expiry_.begin()->second)));
    ++taken;
  }
  return taken;
}

std::optional<std::uint32_t> SetAside::earliest_expiry() const noexcept {
  if (by_expiry_.empty()) return std::nullopt;
  return by_expiry_.begin()->first;
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
    ++taken;
    sink(take_out(each++));
  }
  return taken;
}

SetAside::Pick SetAside::take_out(std::map<std::uint64_t, Pick>::iterator found) {
  const Pick pick = found->second;
  picks_.erase(found);
  by_expiry_.erase({pick.ticket.expires, pick.ticket.at.bits()});
  const auto flow = by_flow_.find(pick.flow);
  if (--flow->second == 0) by_flow_.erase(flow);
  --by_priority_[static_cast<std::size_t>(pick.priority)];
  return pick;
}

}  // namespace stentor::daemon
