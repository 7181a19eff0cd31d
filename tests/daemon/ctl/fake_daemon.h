// A unix socket that answers lines by a script: what stentorctl needs of a daemon.
//
// Owns     Its directory, its socket and the thread that serves it; the destructor ends them all.
// Errors   Throws at start when the system gives no socket; the test ends.
// Threads  The script runs on the server's thread, one line at a time. heard() may be called from
//          anywhere.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/temporary_directory.h"

namespace stentor::ctl {

/// A line for one of the connections, in the order in which they came; "" closes it.
struct Answer {
  std::size_t connection;
  std::string line;
};

class FakeDaemon {
 public:
  using Script = std::function<std::vector<Answer>(std::size_t connection, std::string_view line)>;

  explicit FakeDaemon(Script script) : script_(std::move(script)) {
    listening_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path().data(), path().size());
    if (::bind(listening_, std::bit_cast<const sockaddr*>(&at), sizeof at) != 0 ||
        ::listen(listening_, 8) != 0 || ::pipe(stop_.data()) != 0) {
      throw std::runtime_error("no socket to test with");
    }
    thread_ = std::jthread([this] { serve(); });
  }
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  ~FakeDaemon() {
    ::close(stop_[1]);  // wakes the poll
    thread_.join();
    ::close(stop_[0]);
    ::close(listening_);
    for (const int fd : connections_) {
      if (fd >= 0) ::close(fd);
    }
  }

  [[nodiscard]] std::string path() const { return (dir() / "s").string(); }
  [[nodiscard]] const std::filesystem::path& dir() const { return directory_.path(); }

  /// Every line so far, in the order of arrival.
  [[nodiscard]] std::vector<std::string> heard() const {
    const std::scoped_lock lock(mutex_);
    return heard_;
  }

 private:
  void serve() {
    for (;;) {
      std::vector<pollfd> watched{{stop_[0], POLLIN, 0}, {listening_, POLLIN, 0}};
      for (const int fd : connections_) watched.push_back({fd, POLLIN, 0});
      ::poll(watched.data(), watched.size(), -1);
      if (watched[0].revents != 0) return;
      for (std::size_t i = 2; i < watched.size(); ++i) {
        if (watched[i].revents != 0) read(i - 2);
      }
      if (watched[1].revents != 0) {
        connections_.push_back(::accept(listening_, nullptr, nullptr));
        unread_.emplace_back();
      }
    }
  }

  void read(std::size_t connection) {
    std::array<char, 65536> chunk;
    const ssize_t count = ::recv(connections_[connection], chunk.data(), chunk.size(), 0);
    if (count <= 0) return close(connection);
    std::string& unread = unread_[connection];
    unread.append(chunk.data(), static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = unread.find('\n')) != std::string::npos;) {
      const std::string line = unread.substr(0, end);
      unread.erase(0, end + 1);
      {
        const std::scoped_lock lock(mutex_);
        heard_.push_back(line);
      }
      for (const Answer& answer : script_(connection, line)) give(answer);
    }
  }

  void give(const Answer& answer) {
    if (answer.line.empty()) return close(answer.connection);
    const std::string line = answer.line + "\n";
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t count =
          ::send(connections_[answer.connection], rest.data(), rest.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void close(std::size_t connection) {
    ::close(connections_[connection]);
    connections_[connection] = -1;  // poll passes over it
  }

  Script script_;
  stentor::test::TemporaryDirectory directory_;
  int listening_ = -1;
  std::array<int, 2> stop_{-1, -1};
  std::vector<int> connections_;
  std::vector<std::string> unread_;
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
  std::jthread thread_;
};

}  // namespace stentor::ctl
