#include "daemon/callbacks/host_turns.h"

#include <algorithm>
#include <utility>

namespace stentor::daemon {

void HostTurns::look(Who who) {
  looking_ = who;
  refused_.clear();
}

bool HostTurns::may_post(std::string_view host) {
  const auto known = hosts_.find(host);
  if (known == hosts_.end()) return true;
  const auto& [in_flight, waiting] = known->second;
  const std::size_t room = in_flight < in_flight_max_ ? in_flight_max_ - in_flight : 0;
  const auto before = std::ranges::find(waiting, looking_) - waiting.begin();
  if (static_cast<std::size_t>(before) < room) return true;
  if (std::ranges::find(refused_, host) == refused_.end()) refused_.emplace_back(host);
  return false;
}

void HostTurns::on_posted(std::string_view host) {
  ++hosts_[std::string(host)].in_flight;
  if (leave(host, looking_)) std::erase(waits_for_[looking_], host);
}

bool HostTurns::end_look() {
  bool has_left = false;
  std::vector<std::string>& hosts = waits_for_[looking_];
  for (const std::string& host : hosts) {
    if (std::ranges::find(refused_, host) == refused_.end()) has_left |= leave(host, looking_);
  }
  for (const std::string& host : refused_) {
    if (std::ranges::find(hosts, host) == hosts.end()) hosts_[host].waiting.push_back(looking_);
  }
  hosts = std::exchange(refused_, {});
  if (hosts.empty()) waits_for_.erase(looking_);
  return has_left;
}

void HostTurns::on_done(std::string_view host) {
  const auto known = hosts_.find(host);
  if (known == hosts_.end()) return;
  --known->second.in_flight;
  forget_unused(known);
}

bool HostTurns::leave(std::string_view host, Who who) {
  const auto known = hosts_.find(host);
  if (known == hosts_.end() || std::erase(known->second.waiting, who) == 0) return false;
  forget_unused(known);
  return true;
}

void HostTurns::forget_unused(Hosts::iterator host) {
  if (host->second.in_flight == 0 && host->second.waiting.empty()) hosts_.erase(host);
}

}  // namespace stentor::daemon
