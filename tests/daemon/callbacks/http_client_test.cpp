// Requests over real sockets on loopback; the names are the test's own.
#include "daemon/callbacks/http_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cctype>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "daemon/config/network_text.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

/// Answers 200 to each request that comes, and closes.
class LoopbackEndpoint {
 public:
  LoopbackEndpoint() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_GE(fd_, 0);
    if (fd_ < 0) return;
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(fd_, std::bit_cast<const sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    EXPECT_EQ(::getsockname(fd_, std::bit_cast<sockaddr*>(&at), &size), 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~LoopbackEndpoint() {
    ::shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
  }
  LoopbackEndpoint(const LoopbackEndpoint&) = delete;
  LoopbackEndpoint& operator=(const LoopbackEndpoint&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] int connections() const noexcept { return connections_; }

 private:
  void serve() {
    while (true) {
      const int stream = ::accept(fd_, nullptr, nullptr);
      if (stream < 0) return;
      ++connections_;
      std::string request;
      std::array<char, 4096> octets{};
      while (!request.ends_with("{}")) {  // the body
        const ssize_t count = ::recv(stream, octets.data(), octets.size(), 0);
        if (count <= 0) break;
        request.append(octets.data(), static_cast<std::size_t>(count));
      }
      constexpr std::string_view kAnswer =
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      (void)::send(stream, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
      ::close(stream);
    }
  }

  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

/// A name server that knows *.here.example, and never answers for others until it is let go.
struct NameServer {
  std::atomic<bool> is_let_go{false};
  std::atomic<int> asked{0};
  std::atomic<int> ended{0};

  FoundName find(std::string host) {
    ++asked;
    for (char& c : host) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (host.ends_with('.')) host.pop_back();
    FoundName found;
    if (host.ends_with(".here.example")) {
      found.addresses = {"127.0.0.1"};
    } else if (host == "nowhere.example") {
      found.why = "no such name";
    } else {
      while (!is_let_go) std::this_thread::yield();
      found.why = "let go";
    }
    ++ended;
    return found;
  }
};

class HttpClientTest : public testing::Test {
 protected:
  void TearDown() override {
    client_.reset();  // waits for no resolver
    names_->is_let_go = true;
    while (names_->ended < names_->asked) std::this_thread::yield();
  }

  void start(std::uint64_t token, std::string_view host, std::chrono::milliseconds timeout = 1min) {
    if (!client_) {
      client_ = std::make_unique<HttpClient>(
          guard_, "",
          [this](std::uint64_t ended, const HttpOutcome& outcome) { outcomes_[ended] = outcome; },
          [names = names_](const std::string& name) { return names->find(name); });
    }
    HttpRequest request;
    request.url = fmt::format("http://{}:{}/hook", host, endpoint_.port());
    request.body = "{}";
    request.timeout = timeout;
    client_->start(token, std::move(request));
  }

  /// Bounded by the request's own time.
  const HttpOutcome& outcome_of(std::uint64_t token) {
    while (!outcomes_.contains(token)) client_->run(1s);
    return outcomes_[token];
  }

  LoopbackEndpoint endpoint_;
  std::shared_ptr<NameServer> names_ = std::make_shared<NameServer>();
  AddressGuard guard_{{parse_network("127.0.0.0/8").value_or(Network{})}};
  std::map<std::uint64_t, HttpOutcome> outcomes_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientTest, ANameThatNobodyAnswersForHoldsUpNoOtherHost) {
  for (std::uint64_t token = 1; token <= 8; ++token) {
    start(token, fmt::format("silent-{}.example", token));
  }
  start(9, "well.here.example");
  EXPECT_TRUE(outcome_of(9).well) << outcome_of(9).why;
  EXPECT_EQ(outcomes_.size(), 1u) << "the others still wait for their names";
}

TEST_F(HttpClientTest, ANameThatNobodyAnswersForIsGivenUpInTime) {
  start(1, "silent.example", 50ms);
  EXPECT_EQ(outcome_of(1).why, "its name was not found in 50 ms");
  EXPECT_EQ(names_->ended, 0) << "the resolver has not come back";

  start(2, "silent.example", 50ms);
  EXPECT_FALSE(outcome_of(2).well);
  EXPECT_EQ(names_->asked, 1) << "one thread for one name";
}

TEST_F(HttpClientTest, ANameThatIsFoundWhenTheTimeIsUpBeginsNothing) {
  start(1, "well.here.example", 0ms);
  EXPECT_EQ(outcome_of(1).why, "its name was not found in 0 ms");
  while (names_->ended == 0) std::this_thread::yield();
  start(2, "well.here.example", 0ms);  // its name is known by now
  EXPECT_EQ(outcome_of(2).why, "its name was not found in 0 ms");
  EXPECT_EQ(endpoint_.connections(), 0);
}

TEST_F(HttpClientTest, ANameThatDoesNotExistIsSaidSo) {
  start(1, "nowhere.example");
  EXPECT_EQ(outcome_of(1).why, "its name was not found: no such name");
}

TEST_F(HttpClientTest, ConnectsToNothingThatTheGuardRefusesWhateverNameLeadsThere) {
  guard_ = AddressGuard({});
  start(1, "well.here.example");
  EXPECT_EQ(outcome_of(1).why, "its address is private, and [callbacks] allow does not name it");
  EXPECT_EQ(endpoint_.connections(), 0);
}

TEST_F(HttpClientTest, LooksUpNoAddress) {
  start(1, "127.0.0.1");
  EXPECT_TRUE(outcome_of(1).well) << outcome_of(1).why;
  EXPECT_EQ(names_->asked, 0);
}

TEST_F(HttpClientTest, FindsAHostHoweverItsNameIsWritten) {
  std::uint64_t token = 0;
  for (const char* host : {"Well.HERE.example", "well%2Ehere.example", "well.here.example."}) {
    start(++token, host);
    EXPECT_TRUE(outcome_of(token).well) << host << ": " << outcome_of(token).why;
  }
}

}  // namespace
}  // namespace stentor::daemon
