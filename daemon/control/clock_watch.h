// Compares the system's clock with the process's date, and says so when somebody sets it.
//
// Errors   A clock that was set is a warning in the log, once for each step; the daemon goes on by
//          its own date (wall_clock.h).
// Threads  The control thread, save look_at_note() and on_start(), which come before it runs, and
//          note_when_due().
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>

namespace stentor::daemon {

class ClockWatch {
 public:
  ClockWatch(boost::asio::io_context& context, std::filesystem::path state_dir);

  /// Before the journal is read: what the process before has noted of the clock (clock_note.h).
  /// Expiry is paused when somebody set it since, and nothing is forgotten by its date.
  void look_at_note();
  /// What the journal's newest record says: expiry is paused when the clock went back since.
  void on_start(std::uint64_t newest_ms) const;
  /// Writes the note for the next start, now and then. On one thread, which may wait for a disk
  /// that hangs.
  void note_when_due();

 private:
  void look_later();

  boost::asio::steady_timer timer_;
  const std::filesystem::path state_dir_;
  std::chrono::steady_clock::time_point next_note_{};  // note_when_due()'s, once it is called
  bool is_told_ = false;
};

}  // namespace stentor::daemon
