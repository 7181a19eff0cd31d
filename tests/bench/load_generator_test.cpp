// The load generator against a small server that answers as the daemon would.
#include "bench/load/load_generator.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace stentor::load {
namespace {

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
        if (reply != "-") replies += reply + "\n";
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

const std::string kNoAnswerYet = "-";
const std::string kAccepted =
    R"({"status":"accepted","id":"01J0000000","segments":1,"encoding":"gsm7"})";

TEST(LoadGenerator, SendsSoManyAndTimesEveryAnswer) {
  std::mutex lock;
  std::set<std::string> lines;
  FakeDaemon daemon(3, [&](const std::string& line) {
    const std::scoped_lock guard(lock);
    lines.insert(line);
    return kAccepted;
  });

  const LoadResult result =
      run_load({.socket = daemon.path(), .messages = 10'000, .window = 100, .connections = 3});

  EXPECT_EQ(result.sent, 10'000u);
  EXPECT_EQ(result.accepted, 10'000u);
  EXPECT_EQ(result.unanswered, 0u);
  EXPECT_EQ(result.latency.count(), 10'000u);
  EXPECT_EQ(lines.size(), 10'000u) << "every request has a number and a ref of its own";
}

TEST(LoadGenerator, KeepsTheWindow) {
  // The server answers nothing until it has seen a window's worth, and then all of it.
  constexpr int kWindow = 50;
  int unanswered = 0;
  bool was_exceeded = false;
  FakeDaemon daemon(1, [&](const std::string&) -> std::string {
    was_exceeded = was_exceeded || ++unanswered > kWindow;
    if (unanswered < kWindow) return kNoAnswerYet;
    std::string replies = kAccepted;
    for (; unanswered > 1; --unanswered) replies += "\n" + kAccepted;
    unanswered = 0;
    return replies;
  });

  const LoadResult result = run_load(
      {.socket = daemon.path(), .messages = 10 * kWindow, .window = kWindow, .connections = 1});

  EXPECT_FALSE(was_exceeded);
  EXPECT_EQ(result.accepted, 10u * kWindow);
}

TEST(LoadGenerator, CountsRejectionsByCode) {
  std::atomic<int> asked{0};
  FakeDaemon daemon(1, [&](const std::string&) {
    return ++asked % 10 == 0
               ? R"({"status":"rejected","error":{"code":"no_route","detail":"none"}})"
               : kAccepted;
  });

  const LoadResult result = run_load({.socket = daemon.path(), .messages = 1000, .connections = 1});

  EXPECT_EQ(result.accepted, 900u);
  EXPECT_EQ(result.rejected.at("no_route"), 100u);
}

TEST(LoadGenerator, TellsHowManyWereNeverAnswered) {
  std::atomic<int> asked{0};
  FakeDaemon daemon(1,
                    [&](const std::string&) { return ++asked > 10 ? std::string() : kAccepted; });

  const LoadResult result =
      run_load({.socket = daemon.path(), .messages = 100, .window = 20, .connections = 1});

  EXPECT_GT(result.unanswered, 0u);
  EXPECT_EQ(result.sent, result.accepted + result.unanswered);
}

TEST(LoadGenerator, SpreadsARateEvenly) {
  FakeDaemon daemon(2, [&](const std::string&) { return kAccepted; });

  const LoadResult result =
      run_load({.socket = daemon.path(), .messages = 1000, .rate = 10'000, .connections = 2});

  EXPECT_EQ(result.accepted, 1000u);
  EXPECT_GE(result.seconds(), 0.099) << "the thousandth falls due after 99.9 ms";
}

TEST(LoadGenerator, SaysThatNobodyListens) {
  EXPECT_THROW((void)run_load({.socket = "/nowhere/stentor.sock", .messages = 1}),
               std::system_error);
}

}  // namespace
}  // namespace stentor::load
