#include "daemon/control/systemd_notify.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace stentor::daemon {
namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START

std::error_code from_errno(int number) {
  return {number, std::system_category()};
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

// The variables are inherited by children; the process id says whom they were meant for.
bool is_ours(std::string_view pid) {
  return number_in(pid) == static_cast<std::uint64_t>(::getpid());
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before threads start
  return value == nullptr ? std::string() : std::string(value);
}

std::optional<int> socket_option(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, SOL_SOCKET, option, &value, &size) != 0) return std::nullopt;
  return value;
}

}  // namespace

SystemdEnvironment SystemdEnvironment::of_this_process() {
  return {.notify_socket = variable("NOTIFY_SOCKET"),
          .watchdog_usec = variable("WATCHDOG_USEC"),
          .watchdog_pid = variable("WATCHDOG_PID"),
          .listen_fds = variable("LISTEN_FDS"),
          .listen_pid = variable("LISTEN_PID")};
}

SystemdNotify::SystemdNotify(const SystemdEnvironment& environment)
    : address_(environment.notify_socket) {
  // Without WATCHDOG_PID it is for whoever reads it: sd_watchdog_enabled(3).
  const bool for_us = environment.watchdog_pid.empty() || is_ours(environment.watchdog_pid);
  const auto limit = number_in(environment.watchdog_usec);
  // Below two there is no half; above a day someone wrote nonsense, and a tick a day watches
  // nothing.
  if (for_us && limit && *limit >= 2 && *limit <= 86'400'000'000) {
    interval_ = std::chrono::microseconds(static_cast<std::int64_t>(*limit / 2));
  }
}

SystemdNotify::~SystemdNotify() {
  if (socket_ >= 0) ::close(socket_);
}

std::error_code SystemdNotify::send(std::string_view assignments) {
  if (address_.empty()) return {};

  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address_.size() >= sizeof to.sun_path) return from_errno(ENAMETOOLONG);
  if (address_.front() != '/' && address_.front() != '@') return from_errno(EAFNOSUPPORT);
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const bool is_abstract = address_.front() == '@';
  if (is_abstract) to.sun_path[0] = '\0';
  // An abstract name is as long as the length says, and a NUL at its end would be part of it.
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size() +
                                           (is_abstract ? 0 : 1));

  if (socket_ < 0) socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return from_errno(errno);
  // MSG_DONTWAIT: a systemd that is stuck must not take us with it.
  const ssize_t sent =
      ::sendto(socket_, assignments.data(), assignments.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               std::bit_cast<const sockaddr*>(&to), size);
  return sent < 0 ? from_errno(errno) : std::error_code();
}

namespace {

// A line end in it would begin another assignment.
std::string status_line(std::string_view status) {
  std::string line = "STATUS=";
  line.append(status);
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
  return line;
}

}  // namespace

std::error_code SystemdNotify::ready(std::string_view status) {
  return send("READY=1\n" + status_line(status));
}

std::error_code SystemdNotify::status(std::string_view status) {
  return send(status_line(status));
}

std::error_code SystemdNotify::stopping(std::string_view status) {
  return send("STOPPING=1\n" + status_line(status));
}

std::error_code SystemdNotify::watchdog() {
  return send("WATCHDOG=1");
}

std::error_code SystemdNotify::extend_timeout(std::chrono::microseconds from_now) {
  return send("EXTEND_TIMEOUT_USEC=" + std::to_string(from_now.count()));
}

std::expected<std::optional<int>, std::error_code> inherited_listener(
    const SystemdEnvironment& environment) {
  if (environment.listen_fds.empty() || !is_ours(environment.listen_pid)) return std::nullopt;
  const auto count = number_in(environment.listen_fds);
  if (count == 0U) return std::nullopt;
  if (count != 1U) return std::unexpected(make_error_code(std::errc::invalid_argument));

  if (::fcntl(kFirstInherited, F_SETFD, FD_CLOEXEC) != 0) {
    return std::unexpected(from_errno(errno));
  }
  if (socket_option(kFirstInherited, SO_DOMAIN) != AF_UNIX ||
      socket_option(kFirstInherited, SO_TYPE) != SOCK_STREAM ||
      socket_option(kFirstInherited, SO_ACCEPTCONN) != 1) {
    return std::unexpected(make_error_code(std::errc::invalid_argument));
  }
  return kFirstInherited;
}

}  // namespace stentor::daemon
