#include "daemon/delivery/routing.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

Config two_carriers() {
  Config config;
  for (const char* name : {"north", "south"}) {
    CarrierConfig carrier;
    carrier.name = name;
    config.carriers.push_back(carrier);
  }
  return config;
}

RouteConfig route(std::vector<std::string> prefixes, std::vector<std::string> carriers,
                  bool is_default = false) {
  RouteConfig made;
  made.prefixes = std::move(prefixes);
  made.carriers = std::move(carriers);
  made.is_default = is_default;
  return made;
}

TEST(Routing, TakesTheLongestPrefix) {
  Config config = two_carriers();
  config.routes = {route({"7"}, {"north"}), route({"7916", "375"}, {"south"})};
  const Routing routing(config);

  EXPECT_EQ(routing.choose("+79031234567")->carrier, 0);
  EXPECT_EQ(routing.choose("+79161234567")->carrier, 1);
  EXPECT_EQ(routing.choose("+375291234567")->carrier, 1);
}

TEST(Routing, FallsBackToTheDefaultOrSaysNo) {
  Config config = two_carriers();
  config.routes = {route({"7"}, {"north"})};
  EXPECT_FALSE(Routing(config).choose("+441234567890"));

  config.routes.push_back(route({}, {"south"}, true));
  EXPECT_EQ(Routing(config).choose("+441234567890")->carrier, 1);
}

TEST(Routing, PrefersTheFirstCarrierThatIsBound) {
  Config config = two_carriers();
  config.routes = {route({}, {"north", "south"}, true)};
  Routing routing(config);

  EXPECT_EQ(routing.choose("+79161234567")->carrier, 0) << "none is bound: the first waits";
  routing.set_bound(1, true);
  EXPECT_EQ(routing.choose("+79161234567")->carrier, 1);
  routing.set_bound(0, true);
  EXPECT_EQ(routing.choose("+79161234567")->carrier, 0);
}

}  // namespace
}  // namespace stentor::daemon
