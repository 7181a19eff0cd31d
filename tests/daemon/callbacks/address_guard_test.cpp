#include "daemon/callbacks/address_guard.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

#include "daemon/config/network_text.h"

namespace stentor::daemon {
namespace {

bool allows(const AddressGuard& guard, const char* text) {
  sockaddr_storage address{};
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    std::memcpy(&address, &four, sizeof four);
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text, &six.sin6_addr), 1) << text;
    six.sin6_family = AF_INET6;
    std::memcpy(&address, &six, sizeof six);
  }
  return guard.allows(reinterpret_cast<const sockaddr&>(address));
}

TEST(AddressGuard, RefusesWhatIsNotTheOpenInternet) {
  const AddressGuard guard({});
  for (const char* text : {"127.0.0.1",
                           "127.255.255.255",
                           "10.1.2.3",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "169.254.169.254",
                           "100.64.0.1",
                           "0.0.0.0",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::1",
                           "::",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::127.0.0.1",
                           "fe80::1",
                           "fd00::1",
                           "ff02::1",
                           "64:ff9b::7f00:1",
                           "2002:7f00:1::"}) {
    EXPECT_FALSE(allows(guard, text)) << text;
  }
}

TEST(AddressGuard, AllowsTheRest) {
  const AddressGuard guard({});
  for (const char* text :
       {"8.8.8.8", "172.15.255.255", "172.32.0.0", "11.0.0.0", "2606:4700::1", "::ffff:8.8.8.8"}) {
    EXPECT_TRUE(allows(guard, text)) << text;
  }
}

TEST(AddressGuard, AllowsWhatTheConfigurationNames) {
  const AddressGuard guard({*parse_network("10.1.0.0/16"), *parse_network("::1")});
  EXPECT_TRUE(allows(guard, "10.1.2.3"));
  EXPECT_TRUE(allows(guard, "::ffff:10.1.2.3"));
  EXPECT_TRUE(allows(guard, "::1"));
  EXPECT_FALSE(allows(guard, "10.2.0.0"));
}

TEST(AddressGuard, RefusesWhatIsNoAddress) {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  EXPECT_FALSE(AddressGuard({}).allows(address));
}

TEST(NetworkText, IsReadOrRefused) {
  EXPECT_TRUE(parse_network("0.0.0.0/0"));
  EXPECT_TRUE(parse_network("fd00::/8"));
  for (const char* text :
       {"", "10.0.0.0/33", "::/129", "10.0.0", "10.0.0.0/", "host", "1.2.3.4/x"}) {
    EXPECT_FALSE(parse_network(text)) << text;
  }
}

}  // namespace
}  // namespace stentor::daemon
