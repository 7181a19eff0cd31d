// Accepts clients on one socket and moves octets between them and their sessions: one thread, one
// read and one write for as many PDUs as the kernel has at hand.
//
// Units    Octets; time is std::chrono.
// Owns     The listening socket and the connections.
// Errors   A socket that cannot be opened throws std::system_error from the constructor, a
//          certificate that cannot be used std::runtime_error. A client's errors end its
//          connection only. run() answers an error when the capture failed.
// Threads  One thread. SIGTERM and SIGINT are to be blocked before the constructor runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "bench/smsc/capture.h"
#include "bench/smsc/settings.h"
#include "bench/smsc/smsc.h"
#include "bench/smsc/transport.h"

namespace stentor::smsc {

class Server {
 public:
  Server(const Settings& settings, Capture* capture);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// "127.0.0.1:2775", with the port the kernel chose where 0 was asked for.
  [[nodiscard]] std::string address() const;
  /// Serves until SIGTERM or SIGINT.
  [[nodiscard]] std::error_code run();

  [[nodiscard]] const Totals& totals() noexcept { return smsc_.totals(); }
  [[nodiscard]] Levels levels() const;

 private:
  class Connection;

  void accept_all(const Now& now);
  void serve(Connection& connection, std::uint32_t events, const Now& now);
  void read_from(Connection& connection, const Now& now);
  void finish_pass(const Now& now);
  void write_to(Connection& connection);
  void note_transport(Connection& connection, const Now& now);
  void watch(Connection& connection);
  [[nodiscard]] nanoseconds pause(TimePoint now);
  void print_stats(const Now& now);

  Settings settings_;
  Capture* capture_;
  Smsc smsc_;
  std::unique_ptr<ServerIdentity> identity_;  ///< null: no TLS
  int listener_ = -1;
  int epoll_ = -1;
  int signals_ = -1;
  std::uint32_t next_number_ = 1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unique_ptr<std::uint8_t[]> inbox_;
  TimePoint started_;
  TimePoint next_stats_;
  TimePoint next_flush_;
  Totals last_totals_;
  bool has_session_timers_;
  nanoseconds grain_;  ///< how exactly due times are kept
};

}  // namespace stentor::smsc
