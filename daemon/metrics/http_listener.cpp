// The only file that sees Beast: its headers take many seconds to compile.
#include "daemon/metrics/http_listener.h"

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <string_view>
#include <utility>

#include "daemon/as_result.h"

namespace stentor::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// How long to rest when accept fails for want of descriptors: trying at once would only burn CPU.
constexpr std::chrono::milliseconds kAcceptPause{100};

// What a refused client may still push at us before its connection closes in peace.
constexpr std::size_t kDrainOctetsMax = 65536;

using Request = http::request_parser<http::empty_body>;
using Response = http::response<http::string_body>;

struct Connection {
  explicit Connection(tcp::socket&& socket) : stream(std::move(socket)) {}
  beast::tcp_stream stream;
  bool idle = false;  ///< between two requests: no answer is lost by closing it
};

Response plain(http::status status, std::string body, unsigned version) {
  Response response(status, version);
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.set(http::field::cache_control, "no-store");
  if (!body.ends_with('\n')) body.push_back('\n');
  response.body() = std::move(body);
  return response;
}

Response of_health(const Health& health, unsigned version) {
  // One line, whatever the reason holds.
  std::string line = health.reason.substr(0, health.reason.find_first_of("\r\n"));
  return plain(health.well ? http::status::ok : http::status::service_unavailable, std::move(line),
               version);
}

// What a fault in the request's octets is answered with; unknown: the peer is gone or too slow.
http::status refusal_of(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return http::status::request_header_fields_too_large;
  }
  if (error == http::error::body_limit || error == http::error::unexpected_body) {
    return http::status::payload_too_large;
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) {
    return http::status::unknown;
  }
  const bool malformed = error.category() == make_error_code(http::error::bad_method).category();
  return malformed ? http::status::bad_request : http::status::unknown;
}

}  // namespace

class HttpListener::Server : public std::enable_shared_from_this<Server> {
 public:
  Server(asio::io_context& context, HttpPages pages, HttpLimits limits)
      : acceptor(context),
        rest_(context),
        pages_(std::move(pages)),
        limits_(limits),
        free_slot_(context) {}

  static asio::awaitable<void> accept_loop(std::shared_ptr<Server> server);

  void stop() noexcept {
    stopped_ = true;
    error_code ignored;  // closing is all that is left to do
    acceptor.close(ignored);
    rest_.cancel(ignored);
    free_slot_.cancel(ignored);
    for (Connection& connection : connections_) connection.stream.socket().close(ignored);
  }

  tcp::acceptor acceptor;
  Stats stats;

 private:
  using Slot = std::list<Connection>::iterator;

  static asio::awaitable<void> serve(std::shared_ptr<Server> server, Slot slot);

  asio::awaitable<void> answer_all(Connection& connection);
  asio::awaitable<error_code> read_request(Connection& connection, beast::flat_buffer& buffer,
                                           Request& request, bool first);
  asio::awaitable<error_code> write(Connection& connection, Response& response);
  asio::awaitable<void> drain(Connection& connection);
  [[nodiscard]] Response answer(const Request::value_type& request) const;

  void make_room() {
    for (Connection& connection : connections_) {  // the oldest first
      if (!connection.idle) continue;
      error_code ignored;
      connection.stream.socket().close(ignored);
      return;
    }
  }

  asio::steady_timer rest_;
  HttpPages pages_;
  HttpLimits limits_;
  asio::steady_timer free_slot_;  ///< cancelled when a connection ends: wakes the accept loop
  std::list<Connection> connections_;
  bool stopped_ = false;
};

asio::awaitable<void> HttpListener::Server::accept_loop(std::shared_ptr<Server> server) {
  while (!server->stopped_) {
    auto [error, socket] = co_await server->acceptor.async_accept(kAsResult);
    if (server->stopped_) co_return;
    if (error) {
      server->rest_.expires_after(kAcceptPause);
      co_await server->rest_.async_wait(kAsResult);
      continue;
    }
    while (server->connections_.size() >= server->limits_.connections && !server->stopped_) {
      server->make_room();
      server->free_slot_.expires_at(asio::steady_timer::time_point::max());
      co_await server->free_slot_.async_wait(kAsResult);
    }
    if (server->stopped_) co_return;
    const Slot slot = server->connections_.emplace(server->connections_.end(), std::move(socket));
    asio::co_spawn(server->acceptor.get_executor(), serve(server, slot), asio::detached);
  }
}

asio::awaitable<void> HttpListener::Server::serve(std::shared_ptr<Server> server, Slot slot) {
  co_await server->answer_all(*slot);
  server->connections_.erase(slot);
  server->free_slot_.cancel();
}

asio::awaitable<void> HttpListener::Server::answer_all(Connection& connection) {
  beast::flat_buffer buffer(limits_.header_octets);
  for (bool first = true;; first = false) {
    Request request;
    request.header_limit(static_cast<std::uint32_t>(limits_.header_octets));
    request.body_limit(0);
    const error_code error = co_await read_request(connection, buffer, request, first);

    if (error) {
      const http::status refusal = refusal_of(error);
      if (refusal == http::status::unknown) {
        // Between two requests both may leave without a word.
        const bool in_peace = error == http::error::end_of_stream || connection.idle;
        if (!in_peace && !stopped_) ++stats.cut;
        co_return;
      }
      Response response = plain(refusal, std::string(http::obsolete_reason(refusal)), 11);
      response.keep_alive(false);
      const error_code unsent = co_await write(connection, response);
      if (unsent) co_return;
      co_return co_await drain(connection);
    }

    Response response = answer(request.get());
    response.keep_alive(request.keep_alive());
    const error_code unsent = co_await write(connection, response);
    if (unsent) co_return;
    if (!request.keep_alive()) co_return co_await drain(connection);
  }
}

// The time a request may take runs from its first octet, not from the end of the one before. Only a
// new connection has to speak at once: it cost us a slot.
asio::awaitable<error_code> HttpListener::Server::read_request(Connection& connection,
                                                               beast::flat_buffer& buffer,
                                                               Request& request, bool first) {
  connection.idle = !first && buffer.size() == 0;
  connection.stream.expires_after(connection.idle ? limits_.idle_within : limits_.request_within);
  // The parser holds the start line and the fields each to the limit; together is for us to count.
  for (std::size_t parsed = 0; !request.is_done();) {
    const auto [error, count] =
        co_await http::async_read_some(connection.stream, buffer, request, kAsResult);
    if (error) co_return error;
    parsed += count;
    if (parsed > limits_.header_octets) co_return http::error::header_limit;
    if (connection.idle) {
      connection.idle = false;
      connection.stream.expires_after(limits_.request_within);
    }
  }
  co_return error_code{};
}

asio::awaitable<error_code> HttpListener::Server::write(Connection& connection,
                                                        Response& response) {
  response.prepare_payload();
  const auto [error, count] = co_await http::async_write(connection.stream, response, kAsResult);
  if (error) {
    if (!stopped_) ++stats.cut;
    co_return error;
  }
  ++stats.answered;
  if (http::to_status_class(response.result()) == http::status_class::client_error) {
    ++stats.refused;
  }
  co_return error_code{};
}

// Closing with octets unread makes the kernel send a reset, which may overtake the answer. So the
// client is heard out, within the time its request had.
asio::awaitable<void> HttpListener::Server::drain(Connection& connection) {
  error_code ignored;
  connection.stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  std::array<char, 4096> discarded;
  for (std::size_t total = 0; total < kDrainOctetsMax;) {
    const auto [error, count] =
        co_await connection.stream.async_read_some(asio::buffer(discarded), kAsResult);
    if (error) co_return;
    total += count;
  }
}

Response HttpListener::Server::answer(const Request::value_type& request) const {
  const std::string_view target(request.target().data(), request.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  const bool known = path == "/metrics" || path == "/healthz" || path == "/readyz";
  if (!known) {
    return plain(http::status::not_found, "here are /metrics, /healthz and /readyz",
                 request.version());
  }
  if (request.method() != http::verb::get) {
    Response response = plain(http::status::method_not_allowed, "only GET", request.version());
    response.set(http::field::allow, "GET");
    return response;
  }
  if (path == "/healthz") return of_health(pages_.healthz(), request.version());
  if (path == "/readyz") return of_health(pages_.readyz(), request.version());

  Response response = plain(http::status::ok, pages_.metrics(), request.version());
  response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
  return response;
}

HttpListener::HttpListener(std::shared_ptr<Server> server) : server_(std::move(server)) {}

HttpListener::~HttpListener() {
  stop();
}

void HttpListener::stop() noexcept {
  server_->stop();
}

std::uint16_t HttpListener::port() const {
  error_code error;
  const tcp::endpoint at = server_->acceptor.local_endpoint(error);
  return error ? std::uint16_t{0} : at.port();
}

HttpListener::Stats HttpListener::stats() const noexcept {
  return server_->stats;
}

std::expected<std::unique_ptr<HttpListener>, std::error_code> HttpListener::listen(
    asio::io_context& context, const std::string& host, std::uint16_t port, HttpPages pages,
    HttpLimits limits) {
  error_code error;
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error) return std::unexpected(error);

  auto server = std::make_shared<Server>(context, std::move(pages), limits);
  const tcp::endpoint at = found.begin()->endpoint();
  server->acceptor.open(at.protocol(), error);
  // A restart must not wait for the last one's connections to time out of the kernel.
  if (!error) server->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) server->acceptor.bind(at, error);
  if (!error) server->acceptor.listen(static_cast<int>(limits.connections), error);
  if (error) return std::unexpected(error);

  asio::co_spawn(context, Server::accept_loop(server), asio::detached);
  return std::unique_ptr<HttpListener>(new HttpListener(std::move(server)));
}

}  // namespace stentor::daemon
