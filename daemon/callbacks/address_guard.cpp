#include "daemon/callbacks/address_guard.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "daemon/config/network_text.h"

namespace stentor::daemon {
namespace {

// Special-purpose blocks of RFC 6890 and what came after: nothing in them is the open Internet.
constexpr std::array<std::string_view, 26> kRefused = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
    "::/96",         "64:ff9b::/96",    "64:ff9b:1::/48", "100::/64",       "2001::/23",
    "2001:db8::/32", "2002::/16",       "fc00::/7",       "fe80::/10",      "fec0::/10",
    "ff00::/8"};

const std::vector<Network>& refused() {
  static const std::vector<Network> networks = [] {
    std::vector<Network> all;
    for (const std::string_view text : kRefused) all.push_back(parse_network(text).value());
    return all;
  }();
  return networks;
}

std::optional<std::array<std::uint8_t, 16>> octets_of(const sockaddr& address) {
  std::array<std::uint8_t, 16> octets{};
  if (address.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    octets[10] = octets[11] = 0xff;
    std::memcpy(octets.data() + 12, &four.sin_addr, 4);
    return octets;
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &address, sizeof six);
    std::memcpy(octets.data(), &six.sin6_addr, octets.size());
    return octets;
  }
  return std::nullopt;
}

}  // namespace

bool AddressGuard::allows(const sockaddr& address) const {
  const auto octets = octets_of(address);
  if (!octets) return false;
  const auto holds = [&](const Network& network) { return contains(network, *octets); };
  return std::ranges::any_of(allowed_, holds) || !std::ranges::any_of(refused(), holds);
}

}  // namespace stentor::daemon
