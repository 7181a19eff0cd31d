// Whether an address is reached without crossing the public Internet.
//
// Threads  Pure functions.
// Spec     RFC 1918, RFC 6598 (shared), RFC 3927 (link-local), RFC 4193 (unique local)
#pragma once

#include <boost/asio/ip/address.hpp>

namespace stentor::daemon {

[[nodiscard]] inline bool is_private(const boost::asio::ip::address_v4& address) {
  const std::uint32_t bits = address.to_uint();
  const auto within = [bits](std::uint32_t network, unsigned prefix) {
    return bits >> (32 - prefix) == network >> (32 - prefix);
  };
  return within(0x7f000000, 8) || within(0x0a000000, 8) || within(0xac100000, 12) ||
         within(0xc0a80000, 16) || within(0x64400000, 10) || within(0xa9fe0000, 16);
}

[[nodiscard]] inline bool is_private(const boost::asio::ip::address& address) {
  if (address.is_v4()) return is_private(address.to_v4());
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return is_private(make_address_v4(boost::asio::ip::v4_mapped, v6));
  return v6.is_loopback() || v6.is_link_local() || (v6.to_bytes()[0] & 0xfe) == 0xfc;
}

}  // namespace stentor::daemon
