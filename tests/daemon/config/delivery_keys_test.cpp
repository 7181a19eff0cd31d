// What load_config says of the keys that shape a carrier's delivery.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "tests/daemon/config/written_config.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

std::string carrier(std::string_view more) {
  return "[[carrier]]\nname = \"north\"\nhosts = [\"127.0.0.1:2775\"]\nsystem_id = \"s\"\n"
         "password = \"p\"\n" +
         std::string(more) + "\n";
}

Config loaded(std::string_view more) {
  auto config = load_config(WrittenConfig(carrier(more)).path());
  if (!config) {
    ADD_FAILURE() << to_string(config.error().at(0));
    return {};
  }
  return *std::move(config);
}

std::string first_mistake(const std::string& text) {
  const auto config = load_config(WrittenConfig(text).path());
  if (config) return "none";
  return config.error().at(0).key + ": " + config.error().at(0).what;
}
std::string mistake_in(std::string_view more) {
  return first_mistake(carrier(more));
}

TEST(DeliveryKeys, AStatusHasAClassAndMayHaveAWord) {
  const Config config = loaded(
      "status = { 0x400 = \"temporary\", \"1025\" = { class = \"permanent\", code = \"blocked\" } "
      "}");
  const auto& status = config.carriers.at(0).status;
  ASSERT_EQ(status.size(), 2u);
  EXPECT_EQ(status[0].command_status, 0x400u);
  EXPECT_EQ(status[0].is, StatusClass::temporary);
  EXPECT_EQ(status[1].command_status, 0x401u);
  EXPECT_EQ(status[1].code, "blocked");
  EXPECT_NE(describe(config).find(
                "status = { 0x400 = \"temporary\", 0x401 = { class = \"permanent\", code = "
                "\"blocked\" } }"),
            std::string::npos);
}

TEST(DeliveryKeys, AStatusThatIsNoneIsNamed) {
  EXPECT_EQ(
      mistake_in("status = { 0x400 = \"retry\" }"),
      "carrier[0].status.0x400: must be throttle, queue_full, temporary, unknown, permanent, doubt "
      "or bind, or { class = \"permanent\", code = \"word\" }");
  EXPECT_EQ(mistake_in("status = { nothing = \"bind\" }"),
            "carrier[0].status.nothing: is not a command_status: a number such as 0x58, and not 0");
  EXPECT_EQ(mistake_in("status = { 0x0 = \"bind\" }"),
            "carrier[0].status.0x0: is not a command_status: a number such as 0x58, and not 0");
  EXPECT_EQ(mistake_in("status = { 0x10 = \"bind\", 16 = \"bind\" }"),
            "carrier[0].status.16: names a status twice");
  EXPECT_EQ(mistake_in("status = { 0x400 = { class = \"bind\", code = \"Not a word\" } }"),
            "carrier[0].status.0x400: code must be a word of 1 to 32 lower-case letters, digits "
            "and _");
}

TEST(DeliveryKeys, ARetryRuleSaysHowOftenAndHowLong) {
  const Config config = loaded(
      "retry = { temporary = { attempts = 4, pauses = [\"1s\", \"10s\"], within = \"5m\" }, "
      "queue_full = { pauses = [\"30s\"] }, throttle = { attempts = 20, pauses = [\"30s\", "
      "\"1m\"], "
      "within = \"1h\" } }");
  const RetryConfig& retry = config.carriers.at(0).retry;
  EXPECT_EQ(retry.temporary.attempts, 4u);
  EXPECT_EQ(retry.temporary.pauses, (std::vector<std::chrono::seconds>{1s, 10s}));
  EXPECT_EQ(retry.temporary.within, 300s);
  EXPECT_EQ(retry.unknown.attempts, 3u) << "not named: its default";
  EXPECT_EQ(retry.queue_full.pauses, (std::vector<std::chrono::seconds>{30s}));
  EXPECT_EQ(retry.throttle.attempts, 20u);
  EXPECT_EQ(retry.throttle.pauses, (std::vector<std::chrono::seconds>{30s, 60s}));
  EXPECT_EQ(retry.throttle.within, 3600s);
  EXPECT_NE(describe(config).find("throttle = { attempts = 20, pauses = [\"30s\", \"1m\"], "
                                  "within = \"1h\" }"),
            std::string::npos)
      << describe(config);
  EXPECT_EQ(retry.queue_full.attempts, 0u) << "no limit";
}

TEST(DeliveryKeys, WhatBindAndDoubtLeaveOutIsAsTemporaryHasIt) {
  const Config config = loaded(
      "retry = { doubt = { attempts = 2 }, bind = { within = \"1h\" }, "
      "temporary = { attempts = 4, pauses = [\"1s\", \"10s\"], within = \"5m\" } }");
  const RetryConfig& retry = config.carriers.at(0).retry;
  EXPECT_EQ(retry.doubt.attempts, 2u);
  EXPECT_EQ(retry.doubt.pauses, retry.temporary.pauses);
  EXPECT_EQ(retry.doubt.within, 300s);
  EXPECT_EQ(retry.bind.attempts, 4u);
  EXPECT_EQ(retry.bind.within, 3600s);
  EXPECT_NE(describe(config).find("doubt = { attempts = 2, pauses = [\"1s\", \"10s\"], "
                                  "within = \"5m\" }"),
            std::string::npos)
      << describe(config);
  const RetryConfig defaults;
  EXPECT_EQ(defaults.bind.attempts, 9u);
  EXPECT_EQ(defaults.doubt.pauses, defaults.temporary.pauses);
}

TEST(DeliveryKeys, EveryClassThatPausesHasAttempts) {
  const Config config = loaded(
      "retry = { queue_full = { attempts = 7 }, bind = { attempts = 6 }, unknown = { attempts = 1 "
      "} }");
  const RetryConfig& retry = config.carriers.at(0).retry;
  EXPECT_EQ(retry.queue_full.attempts, 7u);
  EXPECT_EQ(retry.bind.attempts, 6u);
  EXPECT_EQ(retry.unknown.attempts, 1u);
}

TEST(DeliveryKeys, ARetryRuleIsBounded) {
  EXPECT_EQ(mistake_in("retry = { temporary = { attempts = 256 } }"),
            "carrier[0].retry.temporary.attempts: is 256; must be 1 to 255");
  EXPECT_EQ(mistake_in("retry = { temporary = { pauses = [\"500ms\"] } }"),
            "carrier[0].retry.temporary.pauses: \"500ms\" is not a time of 1s to 24h in whole "
            "seconds");
  EXPECT_EQ(mistake_in("retry = { throttle = { attempts = 0 } }"),
            "carrier[0].retry.throttle.attempts: is 0; must be 1 to 255");
  EXPECT_EQ(mistake_in("retry = { throttle = { pauses = [] } }"),
            "carrier[0].retry.throttle.pauses: must name 1 to 64 times");
  EXPECT_EQ(mistake_in("retry = { permanent = { attempts = 3 } }"),
            "carrier[0].retry.permanent: unknown key");
}

TEST(DeliveryKeys, AWindowIsANumberOrSizesItself) {
  EXPECT_EQ(loaded("window = 7").carriers.at(0).window, 7u);
  const Config automatic = loaded("window = \"auto\"\nwindow_max = 300");
  EXPECT_TRUE(automatic.carriers.at(0).window_is_automatic);
  EXPECT_EQ(automatic.carriers.at(0).window, 300u);
  EXPECT_NE(describe(automatic).find("window = \"auto\"\nwindow_max = 300\n"), std::string::npos);
  EXPECT_EQ(mistake_in("window = \"wide\""), "carrier[0].window: must be a number or \"auto\"");
  EXPECT_EQ(mistake_in("window = 0"), "carrier[0].window: is 0; must be 1 to 65536");
  EXPECT_EQ(mistake_in("window_max = 9"),
            "carrier[0].window_max: goes with window = \"auto\" only");
}

TEST(DeliveryKeys, ALimitIsForASenderOrAPrefix) {
  const Config config =
      loaded("limits = [{ sender = \"SHOP*\", rate = 10 }, { prefix = \"7916\", rate = 50 }]");
  const auto& limits = config.carriers.at(0).limits;
  ASSERT_EQ(limits.size(), 2u);
  EXPECT_EQ(limits[0].sender, "SHOP*");
  EXPECT_EQ(limits[1].prefix, "7916");
  EXPECT_NE(describe(config).find("limits = [{ sender = \"SHOP*\", rate = 10 }, { prefix = "
                                  "\"7916\", rate = 50 }]"),
            std::string::npos);
  EXPECT_EQ(mistake_in("limits = [{ rate = 10 }]"),
            "carrier[0].limits[0]: needs either a sender or a prefix");
  EXPECT_EQ(mistake_in("limits = [{ prefix = \"+7\", rate = 10 }]"),
            "carrier[0].limits[0].prefix: must be 1 to 15 digits, no +");
  EXPECT_EQ(mistake_in("limits = [{ sender = \"A\" }]"), "carrier[0].limits[0]: needs a rate");
}

TEST(DeliveryKeys, ARewriteTakesOnePrefixForAnother) {
  const Config config = loaded("rewrite = [{ from = \"7\", to = \"8\", national = true }]");
  EXPECT_EQ(config.carriers.at(0).rewrite.at(0).to, "8");
  EXPECT_EQ(config.carriers.at(0).rewrite.at(0).is_national, true);
  EXPECT_EQ(mistake_in("rewrite = [{ from = \"7\", to = \"8\" }, { from = \"7\", to = \"\" }]"),
            "carrier[0].rewrite[1].from: has a rule already");
  EXPECT_EQ(mistake_in("rewrite = [{ from = \"\", to = \"8\" }]"),
            "carrier[0].rewrite[0].from: must be 1 to 15 digits, no +");
  EXPECT_EQ(mistake_in("rewrite_source = [{ from = \"7\" }]"),
            "carrier[0].rewrite_source[0]: needs a to, which may be empty");
}

std::string two_carriers(std::string_view route) {
  std::string south = carrier("");
  south.replace(south.find("north"), 5, "south");
  return carrier("") + south + std::string(route);
}

TEST(RouteKeys, CarriersStandInOrderOrShareByWeight) {
  const auto config = load_config(
      WrittenConfig(two_carriers("[[route]]\ndefault = true\n"
                                 "carriers = [{ name = \"north\", weight = 3 }, \"south\"]\n"))
          .path());
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  EXPECT_EQ(config->routes.at(0).carriers, (std::vector<std::string>{"north", "south"}));
  EXPECT_EQ(config->routes.at(0).weights, (std::vector<std::uint32_t>{3, 1}));
  EXPECT_NE(describe(*config).find("carriers = [{ name = \"north\", weight = 3 }, { name = "
                                   "\"south\", weight = 1 }]"),
            std::string::npos);
}

TEST(RouteKeys, CarriersThatAreNoneAreNamed) {
  EXPECT_EQ(first_mistake(two_carriers("[[route]]\ndefault = true\ncarriers = [1]\n")),
            "route[0].carriers[0]: must be a name, or { name = \"north\", weight = 3 }");
  EXPECT_EQ(first_mistake(two_carriers(
                "[[route]]\ndefault = true\ncarriers = [{ name = \"north\", weight = 0 }]\n")),
            "route[0].carriers: all stand by: one needs a weight over 0");
  EXPECT_EQ(first_mistake(two_carriers(
                "[[route]]\ndefault = true\ncarriers = [{ weight = 2 }, \"north\"]\n")),
            "route[0].carriers[0]: needs a name");
}

TEST(RouteKeys, ARouteForSomeSendersOrCampaignsNeedsNoDestination) {
  const auto config = load_config(
      WrittenConfig(two_carriers("[[route]]\ndefault = true\ncarriers = [\"north\"]\n"
                                 "[[route]]\nsenders = [\"SHOP*\"]\ncarriers = [\"south\"]\n"
                                 "[[route]]\ndefault = true\ncampaigns = [\"autumn\"]\n"
                                 "carriers = [\"south\"]\n"))
          .path());
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  EXPECT_EQ(config->routes.at(1).senders, std::vector<std::string>{"SHOP*"});
  EXPECT_EQ(config->routes.at(2).campaigns, std::vector<std::string>{"autumn"});
  EXPECT_EQ(first_mistake(two_carriers("[[route]]\nsenders = [\"S*P\"]\ncarriers = [\"north\"]\n")),
            "route[0].senders: \"S*P\" is not a name of up to 64 octets with at most a * at its "
            "end");
}

}  // namespace
}  // namespace stentor::daemon
