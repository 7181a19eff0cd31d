// A small server on a Unix socket that answers lines as the daemon would.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace stentor::load {

/// An answer that is not sent: the server waits for the next line.
inline constexpr std::string_view kNoAnswer = "-";

// Accepts `connections` and answers each line with what `answer` makes of it; an empty answer
// closes the connection.
class FakeDaemon {
 public:
  using Answer = std::function<std::string(const std::string& line)>;

  FakeDaemon(int connections, Answer answer)
      : path_(std::filesystem::temp_directory_path() /
              ("stentor-fake-" + std::to_string(::getpid()))),
        listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        answer_(std::move(answer)) {
    std::filesystem::remove(path_);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    acceptor_ = std::thread([this, connections] {
      for (int i = 0; i < connections; ++i) {
        const int socket = ::accept(listener_, nullptr, nullptr);
        threads_.emplace_back([this, socket] { serve(socket); });
      }
    });
  }
  ~FakeDaemon() {
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
    std::filesystem::remove(path_);
  }
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  void serve(int socket) {
    std::string pending;
    std::array<char, 65536> octets;
    for (;;) {
      const ssize_t count = ::recv(socket, octets.data(), octets.size(), 0);
      if (count <= 0) break;
      pending.append(octets.data(), static_cast<std::size_t>(count));
      std::string replies;
      std::size_t begin = 0;
      for (std::size_t end; (end = pending.find('\n', begin)) != std::string::npos;) {
        const std::string reply = answer_(pending.substr(begin, end - begin));
        if (reply.empty()) {
          ::close(socket);
          return;
        }
        if (reply != kNoAnswer) replies += reply + "\n";
        begin = end + 1;
      }
      pending.erase(0, begin);
      for (std::size_t sent = 0; sent < replies.size();) {
        const ssize_t part =
            ::send(socket, replies.data() + sent, replies.size() - sent, MSG_NOSIGNAL);
        if (part <= 0) break;
        sent += static_cast<std::size_t>(part);
      }
    }
    ::close(socket);
  }

  std::filesystem::path path_;
  int listener_;
  Answer answer_;
  std::thread acceptor_;
  std::vector<std::thread> threads_;  // touched by the acceptor until it is joined
};

}  // namespace stentor::load
