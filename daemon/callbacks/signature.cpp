#include "daemon/callbacks/signature.h"

#include <fmt/format.h>
#include <sodium/crypto_auth_hmacsha256.h>

#include <array>

namespace stentor::daemon {
namespace {

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string signature_of(std::string_view secret, std::uint64_t seconds, std::string_view body) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, octets_of(secret), secret.size());
  const std::string time = fmt::format("{}.", seconds);
  crypto_auth_hmacsha256_update(&state, octets_of(time), time.size());
  crypto_auth_hmacsha256_update(&state, octets_of(body), body.size());
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  crypto_auth_hmacsha256_final(&state, mac.data());
  std::string signature = fmt::format("t={},v1=", seconds);
  for (const unsigned char octet : mac) signature += fmt::format("{:02x}", octet);
  return signature;
}

}  // namespace stentor::daemon
