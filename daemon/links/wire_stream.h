// The octets of one connection to a carrier: TCP as it is, or under TLS.
//
// One branch for each read and write chooses between the two; nothing is virtual, and without TLS
// nothing is copied: a read goes into memory that all links of a thread share.
//
// Units    Octets as SMPP has them, before TLS.
// Owns     The socket, and the TLS state of the present connection.
// Errors   error_code as a value. Under TLS an end-of-file that the peer did not announce is one.
// Threads  The shard's thread. One read and one write at a time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/links/tls_context.h"

namespace stentor::daemon {

/// Where the plain links of one thread read into: some 1,500 responses or 300 receipts at once. It
/// is used between a read and the next suspension only, so a thousand idle binds hold one of it.
struct SharedInbox {
  std::vector<std::uint8_t> octets = std::vector<std::uint8_t>(std::size_t{64} << 10);
};

class WireStream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using WriteHandler = std::function<void(const boost::system::error_code&, std::size_t octets)>;

  WireStream(boost::asio::io_context& context, SharedInbox& shared);
  ~WireStream();
  WireStream(const WireStream&) = delete;
  WireStream& operator=(const WireStream&) = delete;

  /// Before connecting: a fresh socket.
  void reset();
  void adopt(Socket socket);
  [[nodiscard]] Socket& socket() noexcept { return socket_; }
  [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
  /// Once connected: what keeps a dead peer from holding us.
  void set_options();

  /// Proves who the peer is; answers why not in words, or nothing when all is well.
  [[nodiscard]] boost::asio::awaitable<std::optional<std::string>> begin_tls(
      std::shared_ptr<TlsContext> tls, std::string host);
  /// When the first certificate of this connection ends, in seconds of Unix time.
  [[nodiscard]] std::optional<std::int64_t> certificate_end() const noexcept {
    return certificate_end_;
  }

  /// What came, valid until the caller suspends; empty with `why` set at the connection's end.
  [[nodiscard]] boost::asio::awaitable<std::span<const std::uint8_t>> read(
      boost::system::error_code& why);
  /// Writes all of it. The handler learns how much of it the kernel took, in any case.
  void write(std::span<const std::uint8_t> octets, WriteHandler handler);
  /// Under TLS: says that nothing more comes. The caller bounds the time by close().
  [[nodiscard]] boost::asio::awaitable<void> say_goodbye();
  /// Ends whatever waits on it.
  void close();

  /// Of a connection that is in error: octets at the end of what was written that the kernel never
  /// transmitted and cannot any more (reliability.md section 5.2). 0 where that is not known.
  [[nodiscard]] std::size_t never_transmitted();

 private:
  struct Tls;
  boost::asio::io_context& context_;
  SharedInbox& shared_;
  Socket socket_;
  std::shared_ptr<Tls> tls_;  // shared with a write that is still ending
  std::optional<std::int64_t> certificate_end_;
  bool more_may_wait_ = false;
};

}  // namespace stentor::daemon
