// How octets reach a client: through its socket as they are, or by TLS.
//
// Units    Octets.
// Owns     ServerIdentity owns the certificate and the key; a Transport owns its TLS state, and
//          borrows the socket.
// Errors   A certificate, key or authority that cannot be used throws std::runtime_error with
//          OpenSSL's reason. What a client does wrong ends its connection: Received::gone.
// Threads  One thread.
// Spec     RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 6066 section 3 (server name).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "bench/smsc/settings.h"

namespace stentor::smsc {

/// What clients are shown of us, and what we ask of them.
class ServerIdentity {
 public:
  explicit ServerIdentity(const TlsSettings& settings);
  ~ServerIdentity();
  ServerIdentity(const ServerIdentity&) = delete;
  ServerIdentity& operator=(const ServerIdentity&) = delete;

  [[nodiscard]] void* context() const noexcept;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

class Transport {
 public:
  /// `identity` null: no TLS. The socket does not block, and outlives this.
  Transport(int socket, const ServerIdentity* identity);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  struct Received {
    std::size_t octets = 0;
    bool gone = false;  ///< closed, lost, or no TLS
  };
  /// As much as there is, up to the size of `into`.
  [[nodiscard]] Received receive(std::span<std::uint8_t> into);
  /// Octets that are here but not handed out: no event of the socket will tell of them.
  [[nodiscard]] bool has_more() const noexcept;

  struct Sent {
    std::size_t octets = 0;
    bool gone = false;
  };
  [[nodiscard]] Sent send(std::span<const std::uint8_t> octets);

  /// Says goodbye, so that the client can tell an end from a cut.
  void close_politely();

  /// Once, when a handshake was completed or has failed: "TLSv1.3 smsc.example.net" with the name
  /// the client asked for, or "failed: …". Empty otherwise.
  [[nodiscard]] std::string take_note();

 private:
  class Tls;
  int socket_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace stentor::smsc
