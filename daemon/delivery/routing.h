// Which carrier a message goes to: the one it names, or the longest prefix of its destination.
//
// Units    Prefixes are digits without `+`.
// Owns     A copy of the routes, ready for look-up.
// Errors   No route is an ordinary "no".
// Threads  Read-only after construction, save the links' state: one atomic a carrier, written by
//          its shard, read by ingress.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/config/config.h"

namespace stentor::daemon {

struct RouteChoice {
  std::uint16_t carrier = 0;      ///< index in the configuration
  std::string_view default_from;  ///< the route's sender, or empty
};

class Routing {
 public:
  explicit Routing(const Config& config);

  /// The first carrier of the route that is bound now, or the route's first where none is.
  [[nodiscard]] std::optional<RouteChoice> choose(std::string_view destination) const;
  [[nodiscard]] std::optional<std::uint16_t> carrier_named(std::string_view name) const;
  /// The sender of the route to `destination` that leads to this carrier, or empty.
  [[nodiscard]] std::string_view default_from(std::string_view destination) const;
  /// What the route to `destination` lets be replaced where the request does not say.
  [[nodiscard]] encoding::Replacement default_replacement(std::string_view destination) const;

  void set_bound(std::uint16_t carrier, bool is_bound) noexcept {
    bound_[carrier].store(is_bound, std::memory_order_relaxed);  // a hint: nothing is read with it
  }

 private:
  struct Route {
    std::vector<std::uint16_t> carriers;
    std::string from;
    encoding::Replacement replacement = encoding::Replacement::none;
  };
  [[nodiscard]] const Route* route_to(std::string_view destination) const;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::vector<Route> routes_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_prefix_;
  std::unordered_map<std::string, std::uint16_t, Hash, std::equal_to<>> by_name_;
  std::optional<std::size_t> default_route_;
  std::size_t prefix_longest_ = 0;
  std::unique_ptr<std::atomic<bool>[]> bound_;
};

}  // namespace stentor::daemon
