// Compares the system's clock with the process's date, and says so when somebody sets it.
//
// Errors   A clock that was set is a warning in the log, once for each step; the daemon goes on by
//          its own date (wall_clock.h).
// Threads  The control thread, save on_start(), which comes before it runs.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>

namespace stentor::daemon {

class ClockWatch {
 public:
  explicit ClockWatch(boost::asio::io_context& context);

  /// What the journal's newest record says: expiry is paused when the clock went back since.
  static void on_start(std::uint64_t newest_ms);

 private:
  void look_later();

  boost::asio::steady_timer timer_;
};

}  // namespace stentor::daemon
