// A blocking TCP client on 127.0.0.1 that sends what it is told and reads what comes.
//
// Owns     Its socket.
// Errors   An unconnected client fails the test by what it reads: nothing.
// Threads  One thread.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace stentor::daemon {

class LoopbackClient {
 public:
  explicit LoopbackClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, std::bit_cast<const sockaddr*>(&at), sizeof at) == 0;
  }
  LoopbackClient(const LoopbackClient&) = delete;
  LoopbackClient& operator=(const LoopbackClient&) = delete;
  ~LoopbackClient() { ::close(fd_); }

  [[nodiscard]] bool is_connected() const { return connected_; }

  void send(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t count = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      octets.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  /// Everything up to the end-of-file or reset.
  std::string read_all() {
    std::string all;
    while (read_some(all)) {
    }
    return all;
  }

  /// Up to and including `end`; shorter when the peer closes.
  std::string read_until(std::string_view end) {
    std::string all;
    while (!all.ends_with(end) && read_some(all)) {
    }
    return all;
  }

 private:
  bool read_some(std::string& into) {
    std::array<char, 4096> buffer;
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    into.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }

  int fd_;
  bool connected_ = false;
};

}  // namespace stentor::daemon
