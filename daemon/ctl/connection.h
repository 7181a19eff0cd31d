// One blocking connection to the daemon's local socket: lines out, lines in.
//
// Units    Octets; a line is given out without its end.
// Owns     The socket, and what was received beyond the last line given out.
// Errors   Failure with Exit::unreachable, naming the socket's path and what happened to it.
// Threads  One thread.
// Spec     docs/protocol.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/ctl/outcome.h"

namespace stentor::ctl {

class Connection {
 public:
  /// A reply longer than this is not one: the longest lists every part of ten thousand messages.
  static constexpr std::size_t kLineOctetsMax = 16U << 20;

  /// `patience`: how long the daemon may take to read or to say anything; zero waits for ever.
  [[nodiscard]] static result<Connection> open(const std::string& path,
                                               std::chrono::milliseconds patience);

  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Takes in what the daemon says meanwhile: two that only write would wait for one another.
  [[nodiscard]] result<void> write(std::string_view octets);

  /// The next line, or nullopt when the daemon has closed. `within`: instead of the patience.
  [[nodiscard]] result<std::optional<std::string>> read_line(
      std::optional<std::chrono::milliseconds> within = std::nullopt);

  /// The next line where the protocol owes us one: a close is a failure.
  [[nodiscard]] result<std::string> read_reply();

  /// True when read_line() would answer from memory.
  [[nodiscard]] bool has_line() const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Connection(int fd, std::string path, std::chrono::milliseconds patience);

  /// Waits for one of the events; answers which came.
  [[nodiscard]] result<short> wait_for(short events, std::chrono::milliseconds within) const;
  /// Takes in what is there; false when the daemon has closed.
  [[nodiscard]] result<bool> receive();

  int fd_;
  std::string path_;
  std::chrono::milliseconds patience_;
  std::string received_;
  std::size_t begin_ = 0;    ///< of what has not been given out yet
  std::size_t scanned_ = 0;  ///< no line end before here
};

}  // namespace stentor::ctl
