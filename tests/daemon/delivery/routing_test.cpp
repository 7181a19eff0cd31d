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

RouteConfig shared(std::vector<std::string> carriers, std::vector<std::uint32_t> weights) {
  RouteConfig made = route({}, std::move(carriers), true);
  made.weights = std::move(weights);
  return made;
}

std::string number(int i) {
  return "+7916" + std::to_string(1000000 + i);
}

TEST(Routing, SpreadsRecipientsByWeightAndKeepsEachWhereItIs) {
  Config config = two_carriers();
  config.routes = {shared({"north", "south"}, {3, 1})};
  Routing routing(config);
  routing.set_bound(0, true);
  routing.set_bound(1, true);
  int north = 0;
  for (int i = 0; i < 4000; ++i) {
    const auto first = routing.choose(number(i))->carrier;
    EXPECT_EQ(routing.choose(number(i))->carrier, first);
    if (first == 0) ++north;
  }
  EXPECT_NEAR(north, 3000, 120);
}

TEST(Routing, OfASharedRouteOnlyTheRecipientsOfALostCarrierMove) {
  Config config = two_carriers();
  config.routes = {shared({"north", "south"}, {1, 1})};
  Routing routing(config);
  routing.set_bound(0, true);
  routing.set_bound(1, true);
  std::vector<std::uint16_t> before;
  for (int i = 0; i < 200; ++i) before.push_back(routing.choose(number(i))->carrier);
  routing.set_health(0, CarrierHealth::suspended);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(routing.choose(number(i))->carrier, 1);
  routing.set_bound(0, true);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(routing.choose(number(static_cast<int>(i)))->carrier, before[i]);
  }
}

TEST(Routing, AWeightOfNothingStandsBy) {
  Config config = two_carriers();
  config.routes = {shared({"north", "south"}, {0, 1})};
  Routing routing(config);
  routing.set_bound(0, true);
  routing.set_bound(1, true);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(routing.choose(number(i))->carrier, 1);
  routing.set_bound(1, false);
  EXPECT_EQ(routing.choose(number(1))->carrier, 0);
}

TEST(Routing, PutsCampaignsBeforeSendersBeforePrefixes) {
  Config config = two_carriers();
  config.carriers.push_back({});
  config.carriers.back().name = "east";
  RouteConfig senders = route({}, {"south"});
  senders.senders = {"SHOP*", "+7495*"};
  RouteConfig campaigns = route({"7"}, {"east"});
  campaigns.campaigns = {"autumn"};
  config.routes = {route({"7"}, {"north"}), senders, campaigns};
  const Routing routing(config);
  const std::string_view to = "+79161234567";

  EXPECT_EQ(routing.choose(to)->carrier, 0);
  EXPECT_EQ(routing.choose({to, "SHOPPING", ""})->carrier, 1);
  EXPECT_EQ(routing.choose({to, "+74951234567", ""})->carrier, 1);
  EXPECT_EQ(routing.choose({to, "BANK", ""})->carrier, 0);
  EXPECT_EQ(routing.choose({to, "SHOP", "autumn"})->carrier, 2);
  EXPECT_EQ(routing.choose({"+375291234567", "SHOP", "autumn"})->carrier, 1)
      << "that campaign's route is for 7 only";
  EXPECT_FALSE(routing.choose({"+375291234567", "BANK", "autumn"}));
}

TEST(Routing, AmongRoutesOfOneCampaignTheLongestPrefixWins) {
  Config config = two_carriers();
  RouteConfig all = route({}, {"north"});
  all.campaigns = {"autumn"};
  RouteConfig some = route({"7916"}, {"south"});
  some.campaigns = {"autumn"};
  config.routes = {all, some};
  const Routing routing(config);
  EXPECT_EQ(routing.choose({"+79161234567", "", "autumn"})->carrier, 1);
  EXPECT_EQ(routing.choose({"+79031234567", "", "autumn"})->carrier, 0);
}

TEST(Routing, SaysWhatLedToTheCarrierAndWhoWasPassedOver) {
  Config config = two_carriers();
  RouteConfig senders = route({"7"}, {"north", "south"});
  senders.senders = {"SHOP"};
  config.routes = {route({}, {"north"}, true), route({"7916"}, {"south"}), senders};
  Routing routing(config);
  routing.set_bound(1, true);
  const std::string_view to = "+79161234567";
  const auto why = [&](const RouteQuery& query) {
    const auto choice = routing.choose(query);
    if (!choice) return std::string("no route");
    const RouteReason reason = reason_of(*choice, config);
    std::string told = std::to_string(reason.route) + ": " + describe(reason, query.to);
    for (const auto& passed : reason.passed_over) {
      told.append("; ").append(passed.carrier).append(" ").append(passed.health);
    }
    return told;
  };
  EXPECT_EQ(why("+441234567890"), "1: the default route: no prefix matches; north down");
  EXPECT_EQ(why(to), "2: the longest prefix, 7916");
  EXPECT_EQ(why({to, "SHOP", ""}), "3: its sender, the longest prefix, 7; north down");
  routing.set_bound(0, true);
  EXPECT_EQ(why({to, "SHOP", ""}), "3: its sender, the longest prefix, 7");
}

TEST(Routing, FindsAStandInThatIsUpAndNeverTheSame) {
  Config config = two_carriers();
  config.routes = {route({}, {"north", "south"}, true)};
  Routing routing(config);
  EXPECT_FALSE(routing.stand_in("+79161234567", 0)) << "south is not up";
  routing.set_bound(1, true);
  EXPECT_EQ(routing.stand_in("+79161234567", 0), 1);
  EXPECT_FALSE(routing.stand_in("+79161234567", 1));
}

TEST(Routing, SendsWhatIsNewBehindWhatWaitsWhereACarrierWasLostAMomentAgo) {
  Config config = two_carriers();
  config.routes = {route({}, {"north", "south"}, true)};
  Routing routing(config);
  routing.set_bound(1, true);
  routing.set_health(0, CarrierHealth::lost);
  EXPECT_EQ(routing.choose("+79161234567")->carrier, 0);
  routing.set_health(0, CarrierHealth::stuck);
  EXPECT_EQ(routing.choose("+79161234567")->carrier, 1);
}

TEST(Routing, ExplainsItsChoice) {
  Config config = two_carriers();
  config.routes = {route({"7", "7916"}, {"north", "south"})};
  Routing routing(config);
  routing.set_health(0, CarrierHealth::suspended);
  routing.set_bound(1, true);
  const auto told = routing.explain("+79161234567");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->route, 0u);
  EXPECT_EQ(told->why, "the longest prefix, 7916");
  ASSERT_EQ(told->candidates.size(), 2u);
  EXPECT_FALSE(told->candidates[0].is_chosen);
  EXPECT_EQ(told->candidates[0].reason, "suspended by an operator");
  EXPECT_TRUE(told->candidates[1].is_chosen);
  EXPECT_FALSE(routing.explain("+441234567890"));

  routing.set_bound(1, false);
  EXPECT_TRUE(routing.explain("+79161234567")->candidates[0].is_chosen);
}

}  // namespace
}  // namespace stentor::daemon
