#include "daemon/delivery/routing.h"

#include <algorithm>

namespace stentor::daemon {

Routing::Routing(const Config& config)
    : bound_(std::make_unique<std::atomic<bool>[]>(config.carriers.size())) {
  for (std::size_t i = 0; i < config.carriers.size(); ++i) {
    by_name_.emplace(config.carriers[i].name, static_cast<std::uint16_t>(i));
  }
  for (const RouteConfig& from_file : config.routes) {
    Route route{.carriers = {}, .from = from_file.from, .replacement = from_file.replacement};
    for (const std::string& name : from_file.carriers) {
      if (const auto carrier = carrier_named(name)) route.carriers.push_back(*carrier);
    }
    const std::size_t index = routes_.size();
    routes_.push_back(std::move(route));
    if (from_file.is_default) default_route_ = index;
    for (const std::string& prefix : from_file.prefixes) {
      by_prefix_.emplace(prefix, index);
      prefix_longest_ = std::max(prefix_longest_, prefix.size());
    }
  }
}

std::optional<std::uint16_t> Routing::carrier_named(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

const Routing::Route* Routing::route_to(std::string_view destination) const {
  if (destination.starts_with('+')) destination.remove_prefix(1);
  for (std::size_t size = std::min(prefix_longest_, destination.size()); size > 0; --size) {
    const auto found = by_prefix_.find(destination.substr(0, size));
    if (found != by_prefix_.end()) return &routes_[found->second];
  }
  return default_route_ ? &routes_[*default_route_] : nullptr;
}

std::optional<RouteChoice> Routing::choose(std::string_view destination) const {
  const Route* route = route_to(destination);
  if (route == nullptr || route->carriers.empty()) return std::nullopt;
  for (const std::uint16_t carrier : route->carriers) {
    if (bound_[carrier].load(std::memory_order_relaxed)) {  // a hint, see set_bound
      return RouteChoice{.carrier = carrier, .default_from = route->from};
    }
  }
  return RouteChoice{.carrier = route->carriers.front(), .default_from = route->from};
}

std::string_view Routing::default_from(std::string_view destination) const {
  const Route* route = route_to(destination);
  return route == nullptr ? std::string_view{} : std::string_view{route->from};
}

encoding::Replacement Routing::default_replacement(std::string_view destination) const {
  const Route* route = route_to(destination);
  return route == nullptr ? encoding::Replacement::none : route->replacement;
}

}  // namespace stentor::daemon
