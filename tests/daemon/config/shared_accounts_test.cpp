// Which carriers bind with one account.
#include "daemon/config/shared_accounts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stentor::daemon {
namespace {

CarrierConfig carrier_of(std::string name, std::vector<HostPort> hosts, std::string system_id) {
  CarrierConfig carrier;
  carrier.name = std::move(name);
  carrier.hosts = std::move(hosts);
  carrier.system_id = std::move(system_id);
  return carrier;
}

TEST(SharedAccounts, NamesTwoCarriersThatShareAHostAndTheSystemId) {
  const auto said = shared_accounts({carrier_of("north", {{"a", 1}, {"b", 1}}, "shop"),
                                     carrier_of("south", {{"c", 1}, {"b", 1}, {"a", 1}}, "shop")});
  ASSERT_EQ(said.size(), 1u) << "once, however many hosts they share";
  EXPECT_EQ(said.front(),
            "carriers \"north\" and \"south\" bind with one account, shop at b:1: a receipt or "
            "reply of one may be given to the other");
}

TEST(SharedAccounts, SaysNothingOfOtherPortsOtherNamesOrOneHostTwice) {
  EXPECT_TRUE(shared_accounts({carrier_of("north", {{"a", 1}, {"a", 1}}, "shop"),
                               carrier_of("south", {{"a", 2}}, "shop"),
                               carrier_of("west", {{"a", 1}}, "bank")})
                  .empty());
}

TEST(SharedAccounts, NamesTenOfMany) {
  std::vector<CarrierConfig> many;
  many.reserve(20);
  for (int i = 0; i < 20; ++i) {
    many.push_back(carrier_of("c" + std::to_string(i), {{"a", 1}}, "shop"));
  }
  const auto said = shared_accounts(many);
  ASSERT_EQ(said.size(), 11u);
  EXPECT_EQ(said.back(), "9 more carriers share an account so");
}

}  // namespace
}  // namespace stentor::daemon
