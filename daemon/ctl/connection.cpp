#include "daemon/ctl/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace stentor::ctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What may pile up while we write: the answers to all that Pipeline lets be on its way.
constexpr std::size_t kReceivedOctetsMax = 4 * Connection::kLineOctetsMax;

std::string said(int number) {
  return std::error_code(number, std::system_category()).message();
}

std::string advice(int number) {
  if (number == ENOENT) return " (is stentord running? --socket names another place)";
  if (number == ECONNREFUSED) return " (is stentord running?)";
  if (number == EACCES) return " (are you in the socket's group?)";
  return "";
}

}  // namespace

Connection::Connection(int fd, std::string path, milliseconds patience)
    : fd_(fd), path_(std::move(path)), patience_(patience) {}

Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      patience_(other.patience_),
      received_(std::move(other.received_)),
      begin_(other.begin_),
      scanned_(other.scanned_) {}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

result<Connection> Connection::open(const std::string& path, milliseconds patience) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof to.sun_path) {
    return failed(Exit::usage, fmt::format("--socket: a path of 1 to {} octets, not {}",
                                           sizeof to.sun_path - 1, path.size()));
  }
  std::memcpy(to.sun_path, path.data(), path.size());

  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return failed(Exit::unreachable, fmt::format("cannot open a socket: {}", said(errno)));
  Connection connection(fd, path, patience);
  if (::connect(fd, std::bit_cast<const sockaddr*>(&to), sizeof to) != 0) {
    const int number = errno;
    return failed(Exit::unreachable, fmt::format("cannot reach stentord at {}: {}{}", path,
                                                 said(number), advice(number)));
  }
  return connection;
}

result<short> Connection::wait_for(short events, milliseconds within) const {
  pollfd watched{.fd = fd_, .events = events, .revents = 0};
  const auto deadline = steady_clock::now() + within;
  for (;;) {
    int wait = -1;
    if (within != milliseconds::zero()) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
      wait = left < 0 ? 0 : static_cast<int>(left);
    }
    const int ready = ::poll(&watched, 1, wait);
    if (ready > 0) return watched.revents;
    if (ready == 0) {
      return failed(Exit::unreachable, fmt::format("stentord at {} said nothing for {:g} s", path_,
                                                   std::chrono::duration<double>(within).count()));
    }
    if (errno != EINTR) return failed(Exit::unreachable, fmt::format("poll: {}", said(errno)));
  }
}

result<bool> Connection::receive() {
  if (received_.size() - begin_ > kReceivedOctetsMax) {
    return failed(Exit::unreachable, fmt::format("{} sent over {} octets of which we asked for "
                                                 "none: not stentord?",
                                                 path_, kReceivedOctetsMax));
  }
  std::array<char, 65536> chunk;
  const ssize_t count = ::recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (count > 0) {
    received_.append(chunk.data(), static_cast<std::size_t>(count));
    return true;
  }
  if (count == 0) return false;
  if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) return true;
  return failed(Exit::unreachable, fmt::format("stentord at {} has gone: {}", path_, said(errno)));
}

result<void> Connection::write(std::string_view octets) {
  bool closed = false;  // for reading: what was sent before the close is still to be read
  while (!octets.empty()) {
    const ssize_t count = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    const int number = errno;
    if (number == EINTR) continue;
    if (number != EAGAIN && number != EWOULDBLOCK) {
      return failed(Exit::unreachable,
                    fmt::format("stentord at {} has gone: {}", path_, said(number)));
    }
    const auto events = static_cast<short>(closed ? POLLOUT : POLLIN | POLLOUT);
    const auto ready = wait_for(events, patience_);
    if (!ready) return std::unexpected(ready.error());
    if ((*ready & POLLIN) == 0) continue;
    const auto open = receive();
    if (!open) return std::unexpected(open.error());
    closed = !*open;
  }
  return {};
}

bool Connection::has_line() const {
  return received_.find('\n', scanned_) != std::string::npos;
}

result<std::optional<std::string>> Connection::read_line(std::optional<milliseconds> within) {
  for (;;) {
    if (const std::size_t end = received_.find('\n', scanned_); end != std::string::npos) {
      std::string line = received_.substr(begin_, end - begin_);
      begin_ = scanned_ = end + 1;
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    // What was given out leaves the buffer once it is most of it.
    if (begin_ > received_.size() / 2) {
      received_.erase(0, begin_);
      begin_ = 0;
    }
    scanned_ = received_.size();
    if (received_.size() - begin_ > kLineOctetsMax) {
      return failed(
          Exit::unreachable,
          fmt::format("{} sent a line of over {} octets: not stentord?", path_, kLineOctetsMax));
    }
    if (const auto ready = wait_for(POLLIN, within.value_or(patience_)); !ready) {
      return std::unexpected(ready.error());
    }
    const auto open = receive();
    if (!open) return std::unexpected(open.error());
    if (!*open) return std::nullopt;  // an unfinished line says nothing
  }
}

result<std::string> Connection::read_reply() {
  auto read = read_line();
  if (!read) return std::unexpected(std::move(read.error()));
  std::optional<std::string>& line = *read;
  if (!line) {
    return failed(Exit::unreachable,
                  fmt::format("stentord at {} closed the connection without an answer", path_));
  }
  return *std::move(line);
}

}  // namespace stentor::ctl
