// Tells systemd how we are, and takes the socket it holds for us. No libsystemd: it is five lines
// of text on a datagram socket.
//
// Units    std::chrono.
// Owns     One datagram socket, opened on first use. inherited_listener() hands its descriptor
//          over.
// Errors   errno as std::error_code. Not run by systemd is an answer, not an error: then every call
//          does nothing.
// Threads  One thread; the environment is read in from_environment() only, before threads start.
// Spec     sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3).
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace stentor::daemon {

/// What systemd says in the environment; what it leaves out is empty.
struct SystemdEnvironment {
  std::string notify_socket = {};  ///< a path, or with '@' first an abstract name
  std::string watchdog_usec = {};
  std::string watchdog_pid = {};
  std::string listen_fds = {};
  std::string listen_pid = {};

  [[nodiscard]] static SystemdEnvironment of_this_process();
};

class SystemdNotify {
 public:
  explicit SystemdNotify(const SystemdEnvironment& environment);
  SystemdNotify(const SystemdNotify&) = delete;
  SystemdNotify& operator=(const SystemdNotify&) = delete;
  ~SystemdNotify();

  /// False when nobody listens; the calls below may be made all the same.
  [[nodiscard]] bool is_wanted() const { return !address_.empty(); }

  /// Only after recovery, when the socket takes messages. `status` is what systemctl shows.
  std::error_code ready(std::string_view status);
  std::error_code status(std::string_view status);
  std::error_code stopping(std::string_view status);
  /// Only when every worker has shown a sign of life since the last time.
  std::error_code watchdog();
  /// "We are at work; give us so long from now": recovery and drain may take longer than the unit's
  /// timeouts.
  std::error_code extend_timeout(std::chrono::microseconds from_now);

  /// How often watchdog() is due: half of what systemd waits. nullopt: no watchdog.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() const {
    return interval_;
  }

 private:
  std::error_code send(std::string_view assignments);

  std::string address_;
  std::optional<std::chrono::microseconds> interval_;
  int socket_ = -1;
};

/// The listening unix socket that a .socket unit passed to this process, now close-on-exec.
///
/// nullopt when none was passed. Fails with invalid_argument when it is not exactly one listening
/// unix stream socket: a wrong unit is to be mended, not guessed around.
[[nodiscard]] std::expected<std::optional<int>, std::error_code> inherited_listener(
    const SystemdEnvironment& environment);

}  // namespace stentor::daemon
