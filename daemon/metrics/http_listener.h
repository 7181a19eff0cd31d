// Answers GET /metrics, /healthz and /readyz, and nothing else.
//
// Read only: whatever changes something goes over the local socket, where there are roles.
//
// Units    Octets; std::chrono.
// Owns     The listening socket and its connections. They live on in the io_context's work until
//          stop(); the destructor stops too.
// Errors   listen() answers what the world refused (address in use, no such host). A client's fault
//          is the client's: it gets a 4xx or is cut, and nobody else notices.
// Threads  Everything, the pages' callbacks too, on the one thread that runs the io_context.
// Spec     RFC 9110, RFC 9112.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

namespace boost::asio {
class io_context;  // NOLINT(readability-identifier-naming): Asio's name
}

namespace stentor::daemon {

/// The answer of a health page: 200 when well, else 503; `reason` is its one line.
struct Health {
  bool well = true;
  std::string reason = "ok";
};

struct HttpPages {
  std::function<std::string()> metrics;
  std::function<Health()> healthz;  ///< is the process worth keeping?
  std::function<Health()> readyz;   ///< may it be given messages?
};

/// Whoever reaches the port may try these; the defaults serve a Prometheus and some probes.
struct HttpLimits {
  std::size_t header_octets = 8192;                ///< a scraper's header is under 1 KiB
  std::chrono::milliseconds request_within{5000};  ///< from the first octet in to the last out
  std::chrono::milliseconds idle_within{90000};  ///< between requests: longer than a scrape period
  std::size_t connections = 64;  ///< one more: the connection that idles longest gives way, and if
                                 ///< none idles the new one waits in the kernel
};

class HttpListener {
 public:
  struct Stats {
    std::uint64_t answered = 0;  ///< any status
    std::uint64_t refused = 0;   ///< of these: 4xx
    std::uint64_t cut = 0;       ///< too slow, or gone in the middle of a request
  };

  /// Binds and begins to accept. `host` is an address or a name; port 0 takes any free one.
  [[nodiscard]] static std::expected<std::unique_ptr<HttpListener>, std::error_code> listen(
      boost::asio::io_context& context, const std::string& host, std::uint16_t port,
      HttpPages pages, HttpLimits limits = {});

  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;
  ~HttpListener();

  /// Closes the port and every connection at once: an answer on its way is worth nothing any more.
  void stop() noexcept;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] Stats stats() const noexcept;

 private:
  class Server;
  explicit HttpListener(std::shared_ptr<Server> server);

  std::shared_ptr<Server> server_;
};

}  // namespace stentor::daemon
