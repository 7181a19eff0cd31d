#include "daemon/links/tls_context.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <ctime>
#include <vector>

namespace stentor::daemon {
namespace {

namespace ssl = boost::asio::ssl;

// RSA and DH from 2048 bits, no SHA-1 signatures: OpenSSL's level 2, whatever the system's is.
constexpr int kSecurityLevel = 2;

std::string in_file(std::string_view what, const std::string& path,
                    const boost::system::error_code& why) {
  return fmt::format("{} {}: {}", what, path, why.message());
}

std::optional<std::int64_t> end_of(const X509* certificate) {
  std::tm utc{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &utc) != 1) {
    return std::nullopt;
  }
  return timegm(&utc);
}

// What a renewed file differs in; of one that is not there, nothing.
struct FileStamp {
  std::string path;
  struct timespec changed{};
  ino_t inode = 0;
  off_t octets = 0;

  static FileStamp of(const std::string& path) {
    FileStamp stamp{.path = path};
    struct stat found{};
    if (::stat(path.c_str(), &found) == 0) {
      stamp.changed = found.st_mtim;
      stamp.inode = found.st_ino;
      stamp.octets = found.st_size;
    }
    return stamp;
  }
  [[nodiscard]] bool is_current() const {
    const FileStamp now = of(path);
    return now.changed.tv_sec == changed.tv_sec && now.changed.tv_nsec == changed.tv_nsec &&
           now.inode == inode && now.octets == octets;
  }
};

bool is_address(const std::string& host) {
  boost::system::error_code error;
  (void)boost::asio::ip::make_address(host, error);
  return !error;
}

// SHA-256 of the SubjectPublicKeyInfo, in base64.
std::string fingerprint_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int octets = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (octets <= 0) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int digest_octets = 0;
  const bool hashed = EVP_Digest(der, static_cast<std::size_t>(octets), digest.data(),
                                 &digest_octets, EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  if (!hashed) return {};
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> text{};
  const int characters =
      EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest_octets));
  return {text.begin(), text.begin() + characters};
}

}  // namespace

struct TlsContext::Body {
  std::vector<FileStamp> files;
  ssl::context context{ssl::context::tls_client};
  std::vector<std::string> pins;
  std::optional<std::int64_t> own_end;
};

TlsContext::TlsContext(std::unique_ptr<Body> body) : body_(std::move(body)) {}
TlsContext::~TlsContext() = default;

ssl::context& TlsContext::context() noexcept {
  return body_->context;
}

std::expected<std::unique_ptr<TlsContext>, std::string> TlsContext::create(
    const CarrierConfig& carrier) {
  auto body = std::make_unique<Body>();
  const TlsConfig& tls = carrier.tls;
  // Before they are read: what changes in between is read again at the next connection.
  for (const std::string* path : {&tls.ca, &tls.cert, &tls.key}) {
    if (!path->empty()) body->files.push_back(FileStamp::of(*path));
  }
  SSL_CTX* native = body->context.native_handle();
  SSL_CTX_set_security_level(native, kSecurityLevel);
  // Unexpected EOF stays an error: SSL_OP_IGNORE_UNEXPECTED_EOF is not among the options.
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // an idle bind holds none
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1) {
    return std::unexpected("TLS 1.2 is not to be had");
  }
  boost::system::error_code error;
  if (tls.ca.empty()) {
    body->context.set_default_verify_paths(error);
    if (error) return std::unexpected(in_file("ca", "of the system", error));
  } else {
    body->context.load_verify_file(tls.ca, error);  // NOLINT(bugprone-unused-return-value)
    if (error) return std::unexpected(in_file("ca", tls.ca, error));
  }
  if (!tls.cert.empty()) {
    body->context.use_certificate_chain_file(tls.cert, error);
    if (error) return std::unexpected(in_file("cert", tls.cert, error));
    body->context.use_private_key_file(tls.key, ssl::context::pem, error);
    if (error) return std::unexpected(in_file("key", tls.key, error));
    if (SSL_CTX_check_private_key(native) != 1) {
      return std::unexpected(fmt::format("key {}: does not belong to cert {}", tls.key, tls.cert));
    }
    body->own_end = end_of(SSL_CTX_get0_certificate(native));
  }
  body->pins = tls.pins;
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(body)));
}

bool TlsContext::is_outdated() const {
  return !std::ranges::all_of(body_->files, &FileStamp::is_current);
}

bool TlsContext::expect_host(ssl_st* connection, const std::string& host) const {
  X509_VERIFY_PARAM* wanted = SSL_get0_param(connection);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1;
  std::string name = host;  // OpenSSL copies it; its macro for this casts by C's rules
  return SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  name.data()) == 1 &&
         SSL_set1_host(connection, host.c_str()) == 1;
}

bool TlsContext::fits_pins(ssl_st* connection) const {
  if (body_->pins.empty()) return true;
  X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr) return false;
  return std::ranges::find(body_->pins, fingerprint_of(certificate)) != body_->pins.end();
}

std::optional<std::int64_t> TlsContext::ends_at(ssl_st* connection) const {
  const auto peer_end = end_of(SSL_get0_peer_certificate(connection));
  if (!peer_end || !body_->own_end) return peer_end ? peer_end : body_->own_end;
  return std::min(*peer_end, *body_->own_end);
}

std::string why_refused(ssl_st* connection, std::string_view otherwise) {
  const long verdict = SSL_get_verify_result(connection);
  if (verdict == X509_V_OK) return fmt::format("tls: {}", otherwise);
  return fmt::format("tls: the carrier's certificate: {}", X509_verify_cert_error_string(verdict));
}

}  // namespace stentor::daemon
