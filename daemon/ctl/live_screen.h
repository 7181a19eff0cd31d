// A terminal taken over for a while: a picture a time, a key to leave, everything back afterwards.
//
// Owns     The terminal's settings and the handlers of SIGINT and SIGTERM while it lives.
// Errors   A terminal that takes no settings is drawn on all the same; keys need their Enter then.
// Threads  One thread, one at a time: signal handlers are the process's.
#pragma once

#include <termios.h>

#include <chrono>
#include <string>
#include <vector>

namespace stentor::ctl {

class LiveScreen {
 public:
  LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;
  ~LiveScreen();

  /// Draws from the top left; what is wider or longer than the terminal is cut.
  void draw(const std::vector<std::string>& lines) const;

  /// Waits; false when the user wants to leave (q, Ctrl-C, SIGTERM).
  [[nodiscard]] static bool rest(std::chrono::milliseconds interval);

 private:
  termios before_{};
  bool has_settings_ = false;
};

}  // namespace stentor::ctl
