#include "daemon/inbound/inbound_router.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(InboundRouter, PrefersTheMostExactRule) {
  Config config;
  config.clients.resize(2);
  config.inbound = {{.to = "", .keyword = "", .client = "rest"},
                    {.to = "", .keyword = "WIN", .client = "game"},
                    {.to = "1234", .keyword = "", .client = "crm"},
                    {.to = "1234", .keyword = "win", .client = "lottery"}};
  const InboundRouter router(config);
  EXPECT_EQ(router.client_for("1234", "win"), "lottery");
  EXPECT_EQ(router.client_for("1234", "hello"), "crm");
  EXPECT_EQ(router.client_for("999", "win"), "game");
  EXPECT_EQ(router.client_for("999", "hello"), "rest");
}

TEST(InboundRouter, WithoutARuleGivesAllToTheOnlyClientOrToNobody) {
  Config config;
  EXPECT_EQ(InboundRouter(config).client_for("1234", "hello"), "");
  config.clients.resize(1);
  config.clients[0].name = "crm";
  EXPECT_EQ(InboundRouter(config).client_for("1234", "hello"), "crm");
  config.clients.resize(2);
  EXPECT_EQ(InboundRouter(config).client_for("1234", "hello"), "");
}

}  // namespace
}  // namespace stentor::daemon
