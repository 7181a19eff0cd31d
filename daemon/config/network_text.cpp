#include "daemon/config/network_text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace stentor::daemon {
namespace {

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96, RFC 4291 section 2.5.5.2

}  // namespace

std::optional<Network> parse_network(std::string_view text) {
  Network network;
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  in_addr four{};
  in6_addr six{};
  unsigned most = 0;
  if (inet_pton(AF_INET, address.c_str(), &four) == 1) {
    most = 32;
    network.address[10] = network.address[11] = 0xff;
    const auto* octets = reinterpret_cast<const std::uint8_t*>(&four);
    std::copy_n(octets, 4, network.address.begin() + 12);
  } else if (inet_pton(AF_INET6, address.c_str(), &six) == 1) {
    most = 128;
    std::copy_n(std::begin(six.s6_addr), 16, network.address.begin());
  } else {
    return std::nullopt;
  }
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view length = text.substr(slash + 1);
    const auto read = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (read.ec != std::errc{} || read.ptr != length.data() + length.size() || bits > most) {
      return std::nullopt;
    }
  }
  network.bits = most == 32 ? bits + kMappedBits : bits;
  return network;
}

bool contains(const Network& network, const std::array<std::uint8_t, 16>& address) {
  const std::size_t whole = network.bits / 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                  network.address.begin())) {
    return false;
  }
  const unsigned rest = network.bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (address[whole] & mask) == (network.address[whole] & mask);
}

}  // namespace stentor::daemon
