#include "daemon/links/wire_stream.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "daemon/as_result.h"

namespace stentor::daemon {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

// Data that a dead host never acknowledges: noticed in this time (reliability.md P10).
constexpr unsigned kUserTimeoutMs = 20'000;
// An idle connection to a dead host: asked after this, given up with kUserTimeoutMs, so within
// some 20 s, long before an enquire_link would be missed.
constexpr int kKeepAliveIdleSeconds = 15;
constexpr int kKeepAliveStepSeconds = 5;
// What the kernel holds unsent beyond this only grows what is in doubt when the link goes. Four
// full windows of 100 are less; the pipe stays full, since what is in flight does not count.
constexpr int kUnsentOctetsMax = 128 << 10;
// One TLS record; many read in one go are handed over one by one.
constexpr std::size_t kTlsInboxOctets = 16u << 10;

void set_option(int socket, int level, int name, int value) {
  ::setsockopt(socket, level, name, &value, sizeof value);  // helpful, not vital
}

}  // namespace

struct WireStream::Tls {
  Tls(Socket& socket, TlsContext& tls) : stream(socket, tls.context()) {}
  asio::ssl::stream<Socket&> stream;
  std::vector<std::uint8_t> inbox;
};

WireStream::WireStream(asio::io_context& context, SharedInbox& shared)
    : context_(context), shared_(shared), socket_(context) {}

WireStream::~WireStream() = default;

void WireStream::reset() {
  adopt(Socket(context_));
}

void WireStream::adopt(Socket socket) {
  tls_.reset();
  certificate_end_.reset();
  more_may_wait_ = false;
  socket_ = std::move(socket);
}

void WireStream::set_options() {
  boost::system::error_code ignored;  // helpful, not vital
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  socket_.non_blocking(true, ignored);
  const int native = socket_.native_handle();
  set_option(native, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
  set_option(native, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set_option(native, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveStepSeconds);
  set_option(native, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentOctetsMax);
}

asio::awaitable<std::optional<std::string>> WireStream::begin_tls(std::shared_ptr<TlsContext> tls,
                                                                  std::string host) {
  tls_ = std::make_shared<Tls>(socket_, *tls);
  ssl_st* native = tls_->stream.native_handle();
  if (!tls->expect_host(native, host)) co_return "tls: the host's name cannot be asked for";
  const auto [error] =
      co_await tls_->stream.async_handshake(asio::ssl::stream_base::client, kAsResult);
  if (error) co_return why_refused(native, error.message());
  if (!tls->fits_pins(native)) co_return "tls: the carrier's key is none of the pins";
  certificate_end_ = tls->ends_at(native);
  tls_->inbox.resize(kTlsInboxOctets);
  co_return std::nullopt;
}

asio::awaitable<std::span<const std::uint8_t>> WireStream::read(boost::system::error_code& why) {
  if (tls_) {
    const auto tls = tls_;
    const auto [error, count] =
        co_await tls->stream.async_read_some(asio::buffer(tls->inbox), kAsResult);
    why = error;
    co_return std::span<const std::uint8_t>(tls->inbox).first(count);
  }
  // Under load one look after another, with the thread's other work in between; when nothing is
  // there, we wait without holding memory.
  if (more_may_wait_) co_await asio::post(context_, asio::use_awaitable);
  while (true) {
    const std::size_t count = socket_.read_some(asio::buffer(shared_.octets), why);
    more_may_wait_ = !why;
    if (why != asio::error::would_block) co_return std::span(shared_.octets).first(count);
    const auto [error] = co_await socket_.async_wait(Socket::wait_read, kAsResult);
    why = error;
    if (error) co_return std::span<const std::uint8_t>();
  }
}

void WireStream::write(std::span<const std::uint8_t> octets, WriteHandler handler) {
  const auto buffer = asio::buffer(octets.data(), octets.size());
  if (!tls_) return asio::async_write(socket_, buffer, std::move(handler));
  asio::async_write(
      tls_->stream, buffer,
      [tls = tls_, handler = std::move(handler)](const boost::system::error_code& error,
                                                 std::size_t count) { handler(error, count); });
}

asio::awaitable<void> WireStream::say_goodbye() {
  if (!tls_) co_return;
  const auto tls = tls_;
  (void)co_await tls->stream.async_shutdown(kAsResult);
}

void WireStream::close() {
  boost::system::error_code ignored;  // it is going either way
  socket_.close(ignored);
}

std::size_t WireStream::never_transmitted() {
  // Under TLS the octets of a PDU cannot be told in the ciphertext: none is claimed.
  if (tls_ || !socket_.is_open()) return 0;
  tcp_info info{};
  socklen_t info_octets = sizeof info;
  if (::getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &info_octets) != 0 ||
      info.tcpi_state != TCP_CLOSE) {
    return 0;  // it may still leave
  }
  int count = 0;
  if (::ioctl(socket_.native_handle(), SIOCOUTQNSD, &count) != 0 || count < 0) return 0;
  return static_cast<std::size_t>(count);
}

}  // namespace stentor::daemon
