#include "bench/smsc/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>
#include <stdexcept>
#include <utility>

namespace stentor::smsc {
namespace {

std::string reason() {
  const unsigned long error = ::ERR_get_error();
  ::ERR_clear_error();
  const char* const text = error == 0 ? nullptr : ::ERR_reason_error_string(error);
  return text == nullptr ? "no reason given" : text;
}

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + reason());
}

int version_number(const std::string& version) {
  if (version == "1.1") return TLS1_1_VERSION;
  return version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
}

int bounded(std::size_t octets) {
  return static_cast<int>(
      std::min(octets, static_cast<std::size_t>(std::numeric_limits<int>::max())));
}

}  // namespace

class ServerIdentity::Body {
 public:
  Body() : context(::SSL_CTX_new(::TLS_server_method())) {}
  ~Body() { ::SSL_CTX_free(context); }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  SSL_CTX* context;
};

ServerIdentity::ServerIdentity(const TlsSettings& settings) : body_(std::make_unique<Body>()) {
  SSL_CTX* const context = body_->context;
  if (context == nullptr) fail("TLS");
  // OpenSSL writes by write(2), which has no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  if (::SSL_CTX_use_certificate_chain_file(context, settings.certificate.c_str()) != 1) {
    fail(settings.certificate);
  }
  if (::SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    fail(settings.key);
  }
  if (!settings.client_authority.empty()) {
    if (::SSL_CTX_load_verify_file(context, settings.client_authority.c_str()) != 1) {
      fail(settings.client_authority);
    }
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  if (!settings.version.empty()) {
    // Debian's OpenSSL allows 1.1 at security level 0 only; it is offered to be refused.
    if (settings.version == "1.1") {
      ::SSL_CTX_set_security_level(context, 0);
      if (::SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0") != 1) fail("TLS 1.1");
    }
    const int version = version_number(settings.version);
    ::SSL_CTX_set_min_proto_version(context, version);
    ::SSL_CTX_set_max_proto_version(context, version);
  }
  // A part of what was to be written may go, and the buffer may have grown until the next try.
  ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

ServerIdentity::~ServerIdentity() = default;

void* ServerIdentity::context() const noexcept {
  return body_->context;
}

class Transport::Tls {
 public:
  Tls(int socket, SSL_CTX* context) : ssl(::SSL_new(context)) {
    if (ssl == nullptr || ::SSL_set_fd(ssl, socket) != 1) fail("TLS");
    ::SSL_set_accept_state(ssl);
  }
  ~Tls() { ::SSL_free(ssl); }
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // Whether a call that answered `result` only asks for patience.
  bool waits(int result) {
    const int error = ::SSL_get_error(ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return true;
    is_broken = error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL;
    if (!is_shaken && note.empty()) note = "failed: " + reason();
    ::ERR_clear_error();
    return false;
  }
  void note_handshake() {
    if (is_shaken || ::SSL_is_init_finished(ssl) != 1) return;
    is_shaken = true;
    note = ::SSL_get_version(ssl);
    if (const char* const name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
      note += std::string(" ") + name;
    }
  }

  SSL* ssl;
  std::string note;
  bool is_shaken = false;
  bool is_broken = false;
};

Transport::Transport(int socket, const ServerIdentity* identity) : socket_(socket) {
  if (identity != nullptr) {
    tls_ = std::make_unique<Tls>(socket, static_cast<SSL_CTX*>(identity->context()));
  }
}

Transport::~Transport() = default;

Transport::Received Transport::receive(std::span<std::uint8_t> into) {
  if (tls_ == nullptr) {
    const ssize_t count = ::recv(socket_, into.data(), into.size(), 0);
    if (count > 0) return {.octets = static_cast<std::size_t>(count)};
    return {.gone = count == 0 || (errno != EAGAIN && errno != EINTR)};
  }
  Received received;
  while (received.octets < into.size()) {  // a record a call, at most 16 KiB
    const auto room = into.subspan(received.octets);
    const int count = ::SSL_read(tls_->ssl, room.data(), bounded(room.size()));
    tls_->note_handshake();
    if (count <= 0) {
      received.gone = !tls_->waits(count);
      break;
    }
    received.octets += static_cast<std::size_t>(count);
  }
  return received;
}

bool Transport::has_more() const noexcept {
  return tls_ != nullptr && ::SSL_has_pending(tls_->ssl) == 1;
}

Transport::Sent Transport::send(std::span<const std::uint8_t> octets) {
  if (tls_ == nullptr) {
    const ssize_t count = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count >= 0) return {.octets = static_cast<std::size_t>(count)};
    return {.gone = errno != EAGAIN && errno != EINTR};
  }
  Sent sent;
  while (sent.octets < octets.size()) {
    const auto rest = octets.subspan(sent.octets);
    const int count = ::SSL_write(tls_->ssl, rest.data(), bounded(rest.size()));
    tls_->note_handshake();
    if (count <= 0) {
      sent.gone = !tls_->waits(count);
      break;
    }
    sent.octets += static_cast<std::size_t>(count);
  }
  return sent;
}

void Transport::close_politely() {
  if (tls_ == nullptr || !tls_->is_shaken || tls_->is_broken) return;
  (void)::SSL_shutdown(tls_->ssl);  // ours is said; the client's need not be waited for
  ::ERR_clear_error();
}

std::string Transport::take_note() {
  return tls_ == nullptr ? std::string() : std::exchange(tls_->note, {});
}

}  // namespace stentor::smsc
