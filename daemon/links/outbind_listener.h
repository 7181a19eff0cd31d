// Hears the outbind of a carrier's SMSC, and offers its connection for a bind of ours.
//
// Units    Time is steady_clock.
// Owns     The listening socket, and connections until their outbind was heard.
// Errors   The constructor throws std::runtime_error when it cannot listen. A connection that is
//          not what it should be is closed, counted and logged.
// Threads  The shard's thread.
// Spec     SMPP 3.4 sections 2.2.1 and 4.1.7
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/links/line_limiter.h"
#include "daemon/links/outbind_stats.h"

namespace stentor::daemon {

class OutbindListener {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  /// Takes the socket out of its argument, or leaves it and answers false.
  using Offer = std::function<bool(Socket&)>;
  /// Sees each outbind as it came, before it is judged.
  using Heard = std::function<void(std::span<const std::uint8_t>)>;

  /// Listens at once; connections wait in the kernel until start(). `outbind` is the carrier's.
  OutbindListener(boost::asio::io_context& context, const CarrierConfig& carrier,
                  const OutbindConfig& outbind, Offer offer, Heard heard);
  ~OutbindListener();
  OutbindListener(const OutbindListener&) = delete;
  OutbindListener& operator=(const OutbindListener&) = delete;

  void start();
  /// Closes the listening socket, and what has not said its outbind yet.
  void stop();

  [[nodiscard]] const OutbindStats& stats() const noexcept { return stats_; }

 private:
  struct Greeting;  // a connection whose outbind is awaited

  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> greet(std::shared_ptr<Greeting> greeting);
  boost::asio::awaitable<OutbindOutcome> hear(Greeting& greeting);
  [[nodiscard]] bool is_allowed(const boost::asio::ip::address& address) const;
  void tell(OutbindOutcome outcome, const boost::asio::ip::tcp::endpoint& peer);

  boost::asio::io_context& context_;
  const CarrierConfig& carrier_;
  const OutbindConfig& config_;
  Offer offer_;
  Heard heard_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::vector<std::shared_ptr<Greeting>> greetings_;
  LineLimiter log_limit_;
  OutbindStats stats_;
};

}  // namespace stentor::daemon
