#include "daemon/links/private_address.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

bool is_private(const char* text) {
  return daemon::is_private(boost::asio::ip::make_address(text));
}

TEST(PrivateAddress, KnowsTheNetworksThatAreNobodysOnTheInternet) {
  for (const char* address :
       {"127.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "169.254.1.1", "::1", "fe80::1", "fd00::1", "fc00::1", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(is_private(address)) << address;
  }
}

TEST(PrivateAddress, TakesTheirNeighboursForPublic) {
  for (const char* address :
       {"11.0.0.0", "9.255.255.255", "172.15.255.255", "172.32.0.0", "192.169.0.0", "100.128.0.0",
        "8.8.8.8", "2001:db8::1", "fe00::1", "::ffff:8.8.8.8"}) {
    EXPECT_FALSE(is_private(address)) << address;
  }
}

}  // namespace
}  // namespace stentor::daemon
