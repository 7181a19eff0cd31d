// What TLS to one carrier takes: whom we trust, who we are, and what is refused.
//
// Verification is always on: the chain, the dates and the host's name; a pin comes on top of it.
//
// Units    Seconds of Unix time for the end of a certificate.
// Owns     The OpenSSL context, loaded from the carrier's files; a private key among them. It stays
//          as it is: when files have changed, the next connection wants another one.
// Errors   create() names the file that cannot be used. Of a connection: why_refused().
// Threads  The shard's thread once created.
// Spec     RFC 8446, RFC 5246 (1.2 is the least), RFC 6125 (names), RFC 7469 section 2.4 (pin)
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/config/config.h"

namespace boost::asio::ssl {
class context;
}
struct ssl_st;

namespace stentor::daemon {

class TlsContext {
 public:
  [[nodiscard]] static std::expected<std::unique_ptr<TlsContext>, std::string> create(
      const CarrierConfig& carrier);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] boost::asio::ssl::context& context() noexcept;
  /// The carrier's files are no longer those that it was loaded from.
  [[nodiscard]] bool is_outdated() const;

  /// Before the handshake: which name the peer must prove. False when the name cannot be used.
  [[nodiscard]] bool expect_host(ssl_st* connection, const std::string& host) const;
  /// After the handshake: the peer's key is one of the pins, where there are any.
  [[nodiscard]] bool fits_pins(ssl_st* connection) const;
  /// When the first of the peer's certificate and ours ends.
  [[nodiscard]] std::optional<std::int64_t> ends_at(ssl_st* connection) const;

 private:
  struct Body;
  explicit TlsContext(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

/// Why a handshake failed, in words: the certificate's fault where it was that.
[[nodiscard]] std::string why_refused(ssl_st* connection, std::string_view otherwise);

}  // namespace stentor::daemon
