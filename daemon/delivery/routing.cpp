#include "daemon/delivery/routing.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "daemon/delivery/name_pattern.h"
#include "daemon/delivery/order_key.h"
#include "queue/ticket.h"

namespace stentor::daemon {
namespace {

std::string_view digits_of(std::string_view number) {
  if (number.starts_with('+')) number.remove_prefix(1);
  return number;
}

// Weighted rendezvous: the highest score wins, and each wins in proportion to its weight. Whoever
// leaves takes only its own recipients along.
double score_of(std::string_view to, std::uint16_t carrier, std::uint32_t weight) {
  const std::uint64_t hash = XXH3_64bits_withSeed(to.data(), to.size(), carrier);
  const double unit = (static_cast<double>(hash >> 11) + 0.5) * 0x1p-53;  // within (0, 1)
  return -static_cast<double>(weight) / std::log(unit);
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns,
                             [name](const std::string& p) { return matches_name(p, name); });
}

// Routes for campaigns first, then those for senders; those for both before all.
int rank_of(const RouteConfig& route) {
  return (route.campaigns.empty() ? 0 : 2) + (route.senders.empty() ? 0 : 1);
}

// The longest of `prefixes` that `digits` begins with; 0 when there are none at all.
std::optional<std::size_t> longest_of(const std::vector<std::string>& prefixes,
                                      std::string_view digits) {
  if (prefixes.empty()) return 0;
  std::optional<std::size_t> longest;
  for (const std::string& prefix : prefixes) {
    if (digits.starts_with(prefix)) longest = std::max(longest.value_or(0), prefix.size());
  }
  return longest;
}

}  // namespace

std::string_view name_of(CarrierHealth health) noexcept {
  switch (health) {
    case CarrierHealth::down: return "down";
    case CarrierHealth::up: return "up";
    case CarrierHealth::suspended: return "suspended";
    case CarrierHealth::stuck: return "stuck";
    case CarrierHealth::proving: return "proving";
    case CarrierHealth::lost: return "lost";
  }
  return "down";
}

Routing::Routing(const Config& config)
    : config_(config),
      has_stand_in_(config.carriers.size(), false),
      health_(std::make_unique<std::atomic<CarrierHealth>[]>(config.carriers.size())),
      followed_(std::make_unique<FollowedKeys[]>(config.carriers.size())) {
  for (std::size_t i = 0; i < config.carriers.size(); ++i) {
    by_name_.emplace(config.carriers[i].name, static_cast<std::uint16_t>(i));
  }
  for (const RouteConfig& from_file : config.routes) {
    Route route;
    route.from = from_file.from;
    route.replacement = from_file.replacement;
    route.is_shared = !from_file.weights.empty();
    route.senders = from_file.senders;
    route.campaigns = from_file.campaigns;
    for (std::size_t i = 0; i < from_file.carriers.size(); ++i) {
      const auto carrier = carrier_named(from_file.carriers[i]);
      if (!carrier) continue;
      route.carriers.push_back(
          {.carrier = *carrier, .weight = route.is_shared ? from_file.weights[i] : 1});
    }
    if (route.carriers.size() > 1) {
      for (const Target& target : route.carriers) has_stand_in_[target.carrier] = true;
    }
    const std::size_t index = routes_.size();
    if (rank_of(from_file) > 0) {
      route.prefixes = from_file.prefixes;
      conditional_.push_back(index);
    } else {
      if (from_file.is_default) default_route_ = index;
      for (const std::string& prefix : from_file.prefixes) {
        by_prefix_.emplace(prefix, index);
        prefix_longest_ = std::max(prefix_longest_, prefix.size());
      }
    }
    routes_.push_back(std::move(route));
  }
  // By rank, and as they stand in the file where it is the same.
  std::ranges::sort(conditional_, {}, [&](std::size_t index) {
    return std::pair(-rank_of(config.routes[index]), index);
  });
}

std::optional<std::uint16_t> Routing::carrier_named(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

Routing::Way Routing::conditional_way(const RouteQuery& query) const {
  const std::string_view digits = digits_of(query.to);
  const Route* best = nullptr;
  std::size_t best_prefix = 0;
  for (const std::size_t index : conditional_) {
    const Route& route = routes_[index];
    // Sorted by rank: a lower one has no chance any more.
    if (best != nullptr && (best->campaigns.empty() != route.campaigns.empty() ||
                            best->senders.empty() != route.senders.empty())) {
      break;
    }
    if (!route.campaigns.empty() &&
        (query.campaign.empty() || !any_matches(route.campaigns, query.campaign))) {
      continue;
    }
    if (!route.senders.empty() && (query.from.empty() || !any_matches(route.senders, query.from))) {
      continue;
    }
    const auto prefix = longest_of(route.prefixes, digits);
    if (!prefix || (best != nullptr && *prefix <= best_prefix)) continue;
    best = &route;
    best_prefix = *prefix;
  }
  return {best, best_prefix};
}

Routing::Way Routing::way_to(const RouteQuery& query) const {
  if (!conditional_.empty()) {
    if (const Way way = conditional_way(query); way.route != nullptr) return way;
  }
  const std::string_view destination = digits_of(query.to);
  for (std::size_t size = std::min(prefix_longest_, destination.size()); size > 0; --size) {
    const auto found = by_prefix_.find(destination.substr(0, size));
    if (found != by_prefix_.end()) return {&routes_[found->second], size};
  }
  return {default_route_ ? &routes_[*default_route_] : nullptr, 0};
}

// The order in which a recipient's carriers are asked; those of weight 0 stand by behind all.
std::vector<Routing::Target> Routing::in_turn(const Route& route, std::string_view to) const {
  if (!route.is_shared) return route.carriers;
  const std::string_view digits = digits_of(to);
  std::vector<std::pair<double, std::size_t>> scored;
  for (std::size_t i = 0; i < route.carriers.size(); ++i) {
    const Target& target = route.carriers[i];
    // Negative, so that the first in order comes first among them.
    const double score =
        target.weight == 0 ? 0.0 : -score_of(digits, target.carrier, target.weight);
    scored.emplace_back(score, i);
  }
  std::ranges::sort(scored);
  std::vector<Target> order;
  order.reserve(scored.size());
  for (const auto& [score, index] : scored) order.push_back(route.carriers[index]);
  return order;
}

// All of these are hints, as health is: nothing is read with them.
void Routing::follow(std::uint16_t carrier, std::uint32_t key) noexcept {
  FollowedKeys& keys = followed_[carrier];
  const std::uint32_t bit = key % FollowedKeys::kBits;
  keys.bits[bit / 64].fetch_or(std::uint64_t{1} << bit % 64, std::memory_order_relaxed);  // a hint
  keys.has_any.store(true, std::memory_order_relaxed);                                    // a hint
}

void Routing::follow_none(std::uint16_t carrier) noexcept {
  FollowedKeys& keys = followed_[carrier];
  if (!keys.has_any.load(std::memory_order_relaxed)) return;  // only its carrier writes it
  for (auto& bits : keys.bits) bits.store(0, std::memory_order_relaxed);  // a hint
  keys.has_any.store(false, std::memory_order_relaxed);                   // a hint
}

// The priority is not known here: a key of any is followed.
bool Routing::is_followed(std::uint16_t carrier, const RouteQuery& query,
                          std::string_view default_sender) const noexcept {
  const FollowedKeys& keys = followed_[carrier];
  if (!keys.has_any.load(std::memory_order_relaxed)) return false;  // a hint
  const std::string_view from = query.from.empty() ? default_sender : query.from;
  for (std::uint8_t priority = 0; priority < queue::kPriorities; ++priority) {
    const std::uint32_t bit =
        order_key(query.to, from, query.campaign, priority) % FollowedKeys::kBits;
    const std::uint64_t bits = keys.bits[bit / 64].load(std::memory_order_relaxed);  // a hint
    if ((bits >> bit % 64 & 1) != 0) return true;
  }
  return false;
}

std::optional<RouteChoice> Routing::choose(const RouteQuery& query) const {
  const auto [route, prefix_digits] = way_to(query);
  if (route == nullptr || route->carriers.empty()) return std::nullopt;
  RouteChoice choice{.carrier = 0,
                     .default_from = route->from,
                     .route = static_cast<std::uint32_t>(route - routes_.data() + 1),
                     .prefix_digits = static_cast<std::uint8_t>(prefix_digits),
                     .by_campaign = !route->campaigns.empty(),
                     .by_sender = !route->senders.empty(),
                     .is_shared = route->is_shared,
                     .passed_over = {}};
  const auto choose_of = [&](const std::vector<Target>& order) {
    choice.carrier = order.front().carrier;  // where it waits when none takes it
    for (const Target& target : order) {
      if (takes_new(target.carrier) || is_followed(target.carrier, query, route->from)) {
        choice.carrier = target.carrier;
        return;
      }
      choice.passed_over.push_back({target.carrier, health(target.carrier)});
    }
  };
  if (route->is_shared) {
    choose_of(in_turn(*route, query.to));
  } else {
    choose_of(route->carriers);  // nearly every route: no list is made
  }
  return choice;
}

RouteReason reason_of(const RouteChoice& choice, const Config& config) {
  RouteReason reason{.is_named = false,
                     .by_campaign = choice.by_campaign,
                     .by_sender = choice.by_sender,
                     .is_shared = choice.is_shared,
                     .route = choice.route,
                     .prefix_digits = choice.prefix_digits,
                     .passed_over = {}};
  for (const RouteChoice::PassedOver& passed : choice.passed_over) {
    reason.passed_over.push_back({config.carriers[passed.carrier].name, name_of(passed.health)});
  }
  return reason;
}

std::optional<std::uint16_t> Routing::stand_in(const RouteQuery& query, std::uint16_t from,
                                               std::string_view client) const {
  const Route* route = route_to(query);
  if (route == nullptr || route->carriers.size() < 2) return std::nullopt;
  const auto owner = std::ranges::find(config_.clients, client, &ClientConfig::name);
  const auto is_allowed = [&](std::uint16_t carrier) {
    return owner == config_.clients.end() || owner->carriers.empty() ||
           std::ranges::find(owner->carriers, config_.carriers[carrier].name) !=
               owner->carriers.end();
  };
  for (const Target& target : in_turn(*route, query.to)) {
    if (target.carrier != from && health(target.carrier) == CarrierHealth::up &&
        is_allowed(target.carrier)) {
      return target.carrier;
    }
  }
  return std::nullopt;
}

std::string_view Routing::default_from(const RouteQuery& query) const {
  const Route* route = route_to(query);
  return route == nullptr ? std::string_view{} : std::string_view{route->from};
}

encoding::Replacement Routing::default_replacement(const RouteQuery& query) const {
  const Route* route = route_to(query);
  return route == nullptr ? encoding::Replacement::none : route->replacement;
}

std::optional<Routing::Explanation> Routing::explain(const RouteQuery& query) const {
  const auto [route, prefix_digits] = way_to(query);
  if (route == nullptr || route->carriers.empty()) return std::nullopt;
  Explanation told;
  told.route = static_cast<std::size_t>(route - routes_.data());
  told.is_shared = route->is_shared;
  told.why = describe(RouteReason{.is_named = false,
                                  .by_campaign = !route->campaigns.empty(),
                                  .by_sender = !route->senders.empty(),
                                  .is_shared = route->is_shared,
                                  .route = static_cast<std::uint32_t>(told.route + 1),
                                  .prefix_digits = static_cast<std::uint8_t>(prefix_digits),
                                  .passed_over = {}},
                      query.to);
  bool found = false;
  for (const Target& target : in_turn(*route, query.to)) {
    Candidate candidate{.carrier = target.carrier,
                        .weight = target.weight,
                        .health = health(target.carrier),
                        .is_chosen = false,
                        .reason = "one before it takes the message"};
    switch (candidate.health) {
      case CarrierHealth::up:
        if (!found) candidate.reason = "the first of these that takes messages";
        break;
      case CarrierHealth::lost:
        if (!found) {
          candidate.reason =
              "lost a moment ago with messages that wait: this one waits behind "
              "them and moves on with them";
        }
        break;
      case CarrierHealth::proving:
        if (!found) candidate.reason = "nothing moved there; a message shows whether it does now";
        break;
      case CarrierHealth::down: candidate.reason = "no bind can send"; break;
      case CarrierHealth::suspended: candidate.reason = "suspended by an operator"; break;
      case CarrierHealth::stuck: candidate.reason = "bound, but nothing moves"; break;
    }
    candidate.is_chosen = !found && takes_new(target.carrier);
    found = found || candidate.is_chosen;
    told.candidates.push_back(candidate);
  }
  if (!found) {
    told.candidates.front().is_chosen = true;
    told.candidates.front().reason = "none can send: the message waits at the first";
  }
  return told;
}

}  // namespace stentor::daemon
