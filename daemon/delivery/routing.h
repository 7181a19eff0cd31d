// Which carrier a message goes to: the one it names, or the one that the best matching route gives.
//
// A route that is for certain campaigns goes before one for certain senders, that before one for
// all; among equals the longest prefix wins. Within a route carriers are taken in order, or shared
// by weight, so that a recipient stays where it is: the spread is a rendezvous hash of the number.
// A carrier that takes nothing new is passed over; when none does, the message waits at the one
// that it would go to.
//
// Units    Prefixes are digits without `+`.
// Owns     A copy of the routes, ready for look-up; the configuration must outlive it.
// Errors   No route is an ordinary "no".
// Threads  Read-only after construction, save the carriers' health and whom new messages
//          follow there: atomics, written by its shard, read by ingress and by other shards.
// Spec     docs/configuration.md, "[[route]]"
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/records/accept_reasons.h"

namespace stentor::daemon {

enum class CarrierHealth : std::uint8_t {
  down,       ///< no bind that sends
  up,         ///< takes messages
  suspended,  ///< by an operator
  stuck,      ///< bound, and nothing moves
  proving,    ///< stuck, and nothing is there that it could prove itself with: takes a message
  lost        ///< down a moment ago, with messages that wait: new ones wait behind them, in order
};
[[nodiscard]] std::string_view name_of(CarrierHealth health) noexcept;

/// What routes go by. A bare destination is a message without sender and campaign.
struct RouteQuery {
  template <std::convertible_to<std::string_view> Text>
  RouteQuery(const Text& destination) : to(destination) {}  // NOLINT: meant to convert
  RouteQuery(std::string_view destination, std::string_view sender, std::string_view campaign_name)
      : to(destination), from(sender), campaign(campaign_name) {}
  std::string_view to;        ///< kept form
  std::string_view from;      ///< kept form; empty: the route's own is taken
  std::string_view campaign;  ///< or empty
};

struct RouteChoice {
  std::uint16_t carrier = 0;       ///< index in the configuration
  std::string_view default_from;   ///< the route's sender, or empty
  std::uint32_t route = 0;         ///< counted from 1, as they stand in the file
  std::uint8_t prefix_digits = 0;  ///< of the destination, that led to the route
  bool by_campaign = false;
  bool by_sender = false;
  bool is_shared = false;
  struct PassedOver {
    std::uint16_t carrier;
    CarrierHealth health;
  };
  std::vector<PassedOver> passed_over;  ///< asked before, took nothing: few, and rare
};
/// Views the names of the carriers.
[[nodiscard]] RouteReason reason_of(const RouteChoice& choice, const Config& config);

class Routing {
 public:
  explicit Routing(const Config& config);

  [[nodiscard]] std::optional<RouteChoice> choose(const RouteQuery& query) const;
  /// The carrier of its route that takes over what waits at `from`; nothing when there is none, or
  /// it is not up.
  [[nodiscard]] std::optional<std::uint16_t> stand_in(const RouteQuery& query, std::uint16_t from,
                                                      std::string_view client = {}) const;
  /// Whether any route of this carrier has another one at all.
  [[nodiscard]] bool has_stand_in(std::uint16_t carrier) const noexcept {
    return has_stand_in_[carrier];
  }
  [[nodiscard]] const CarrierConfig& carrier(std::uint16_t number) const noexcept {
    return config_.carriers[number];
  }
  [[nodiscard]] std::optional<std::uint16_t> carrier_named(std::string_view name) const;
  /// The sender of the route, or empty.
  [[nodiscard]] std::string_view default_from(const RouteQuery& query) const;
  /// What the route lets be replaced where the request does not say.
  [[nodiscard]] encoding::Replacement default_replacement(const RouteQuery& query) const;

  void set_health(std::uint16_t carrier, CarrierHealth is) noexcept {
    if (health(carrier) == is) return;
    health_[carrier].store(is, std::memory_order_relaxed);  // a hint: nothing is read with it
    if (is == CarrierHealth::up) ups_.fetch_add(1, std::memory_order_relaxed);  // likewise
  }
  /// How often any carrier came up: when it grows, what waits elsewhere may have a way again.
  [[nodiscard]] std::uint32_t ups() const noexcept {
    return ups_.load(std::memory_order_relaxed);  // a hint, see set_health
  }
  void set_bound(std::uint16_t carrier, bool is_bound) noexcept {
    set_health(carrier, is_bound ? CarrierHealth::up : CarrierHealth::down);
  }
  /// A carrier that takes nothing new holds back messages of this order key, to go elsewhere in
  /// order: new ones of it, and hardly any other, wait behind them.
  void follow(std::uint16_t carrier, std::uint32_t key) noexcept;
  void follow_none(std::uint16_t carrier) noexcept;
  [[nodiscard]] CarrierHealth health(std::uint16_t carrier) const noexcept {
    return health_[carrier].load(std::memory_order_relaxed);  // a hint, see set_health
  }

  /// Why a message goes where it goes.
  struct Candidate {
    std::uint16_t carrier = 0;
    std::uint32_t weight = 1;
    CarrierHealth health = CarrierHealth::down;
    bool is_chosen = false;
    std::string_view reason;  ///< a literal
  };
  struct Explanation {
    std::size_t route = 0;  ///< index in the configuration
    std::string why;        ///< "the longest prefix, 7916", …
    bool is_shared = false;
    std::vector<Candidate> candidates;  ///< in the order in which they are asked
  };
  /// Nothing when no route leads there.
  [[nodiscard]] std::optional<Explanation> explain(const RouteQuery& query) const;

 private:
  struct Target {
    std::uint16_t carrier = 0;
    std::uint32_t weight = 1;
  };
  struct Route {
    std::vector<Target> carriers;
    bool is_shared = false;
    std::string from;
    encoding::Replacement replacement = encoding::Replacement::none;
    std::vector<std::string> prefixes;  // only of those with conditions
    std::vector<std::string> senders;
    std::vector<std::string> campaigns;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Way {
    const Route* route = nullptr;
    std::size_t prefix_digits = 0;  // that led there
  };
  [[nodiscard]] const Route* route_to(const RouteQuery& query) const { return way_to(query).route; }
  [[nodiscard]] Way way_to(const RouteQuery& query) const;
  [[nodiscard]] Way conditional_way(const RouteQuery& query) const;
  [[nodiscard]] std::vector<Target> in_turn(const Route& route, std::string_view to) const;
  /// Order keys of one carrier, by a hash of each. It may have others that share one, which then
  /// wait for a while and move: with the few that wait at a time these are rare.
  struct FollowedKeys {
    static constexpr std::size_t kBits = 4096;
    std::array<std::atomic<std::uint64_t>, kBits / 64> bits{};
    std::atomic<bool> has_any{false};
  };
  [[nodiscard]] bool is_followed(std::uint16_t carrier, const RouteQuery& query,
                                 std::string_view default_sender) const noexcept;
  [[nodiscard]] bool takes_new(std::uint16_t carrier) const noexcept {
    const CarrierHealth is = health(carrier);
    return is == CarrierHealth::up || is == CarrierHealth::lost || is == CarrierHealth::proving;
  }

  const Config& config_;
  std::vector<Route> routes_;
  std::vector<bool> has_stand_in_;  // by carrier
  std::atomic<std::uint32_t> ups_{0};
  std::vector<std::size_t> conditional_;  // routes for some senders or campaigns only, best first
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_prefix_;
  std::unordered_map<std::string, std::uint16_t, Hash, std::equal_to<>> by_name_;
  std::optional<std::size_t> default_route_;
  std::size_t prefix_longest_ = 0;
  std::unique_ptr<std::atomic<CarrierHealth>[]> health_;
  std::unique_ptr<FollowedKeys[]> followed_;
};

}  // namespace stentor::daemon
