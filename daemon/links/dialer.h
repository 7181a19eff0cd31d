// From a carrier's host to a connection that may carry a bind: the name is looked up, the address
// connected, TLS begun where the carrier has it; and plain text goes to private networks only,
// unless the configuration says otherwise.
//
// Units    Times are steady_clock's.
// Owns     Its timer. The stream is the link's.
// Errors   Whatever does not work out is told in words, and there is no connection. Each step has a
//          time, so no host holds up the next one.
// Threads  The shard's thread.
// Spec     TLS: reliability.md section 6.4
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/links/reconnect.h"
#include "daemon/links/tls_context.h"
#include "daemon/links/wire_stream.h"

namespace stentor::daemon {

class Dialer {
 public:
  using Endpoint = boost::asio::ip::tcp::endpoint;
  using OnFound = std::function<void(const boost::system::error_code&, std::vector<Endpoint>)>;
  /// Looks a name up; comes back on the shard's thread, late or never as name servers do.
  using LookUp = std::function<void(const HostPort&, OnFound)>;
  using OnTrouble = std::function<void(std::string)>;

  struct Patience {
    // The system's resolver asks each of its servers for 5 s, twice, and cannot be interrupted.
    std::chrono::milliseconds look_up{10'000};
    std::chrono::milliseconds connect{10'000};  ///< a SYN lost three times: 1 + 2 + 4 s
    std::chrono::milliseconds tls{10'000};
  };

  /// `tls`: what the carrier's links share, and renew when its files change; nothing in it: plain
  /// text. `is_first`: of the carrier's binds, which speaks for all of them of plain text.
  Dialer(boost::asio::io_context& context, const CarrierConfig& carrier,
         std::shared_ptr<TlsContext>& tls, WireStream& stream, bool is_first, OnTrouble on_trouble);
  Dialer(boost::asio::io_context& context, const CarrierConfig& carrier,
         std::shared_ptr<TlsContext>& tls, WireStream& stream, bool is_first, OnTrouble on_trouble,
         LookUp look_up, Patience patience);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;
  ~Dialer();

  /// Connects the stream to this host, by the first of its addresses that takes us. False when none
  /// does, which has been told, or when it was given up. `host` outlives the dial, and so does
  /// `attempts`: the turn for the first address is the caller's, each further one takes its own.
  [[nodiscard]] boost::asio::awaitable<bool> dial(const HostPort& host, AttemptLimiter& attempts);
  /// Ends a dial that is on its way, quietly. The stream is closed.
  void give_up();
  [[nodiscard]] bool was_given_up() const noexcept { return given_up_; }

  /// A connection that the SMSC has opened becomes the stream's. False, with the socket closed,
  /// when it may not carry plain text.
  [[nodiscard]] bool take(WireStream::Socket socket, const Endpoint& from);

 private:
  boost::asio::awaitable<std::vector<Endpoint>> find(const HostPort& host);
  boost::asio::awaitable<void> wait_until(std::chrono::steady_clock::time_point at);
  boost::asio::awaitable<bool> connect(const Endpoint& endpoint, const HostPort& host);
  boost::asio::awaitable<bool> begin_tls(const HostPort& host);
  void renew_tls();
  [[nodiscard]] bool may_speak_plainly(const Endpoint& endpoint, const std::string& host);
  void tell_plain_text(const Endpoint& endpoint, const std::string& host);
  void close_when_late(std::chrono::milliseconds within);
  void tell(std::string trouble);

  const CarrierConfig& carrier_;
  std::shared_ptr<TlsContext>& tls_;
  WireStream& stream_;
  const bool is_first_;
  OnTrouble on_trouble_;
  LookUp look_up_;
  Patience patience_;
  boost::asio::steady_timer timer_;
  bool given_up_ = false;
  bool told_plain_text_ = false;
};

}  // namespace stentor::daemon
