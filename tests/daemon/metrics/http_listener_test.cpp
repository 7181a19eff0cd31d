#include "daemon/metrics/http_listener.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <string>
#include <thread>

#include "tests/daemon/metrics/loopback_client.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// A listener on a free port, served by a thread of its own.
class HttpListenerTest : public ::testing::Test {
 protected:
  void start(HttpLimits limits = {}) {
    auto listening =
        HttpListener::listen(context_, "127.0.0.1", 0,
                             {.metrics = [this] { return metrics_; },
                              .healthz = [] { return Health{}; },
                              .readyz = [] { return Health{false, "recovering\r\nInjected: 1"}; }},
                             limits);
    ASSERT_TRUE(listening.has_value()) << listening.error().message();
    listener_ = std::move(*listening);
    port_ = listener_->port();
    thread_ = std::jthread([this] { context_.run(); });
  }

  void TearDown() override {
    if (!listener_) return;
    boost::asio::post(context_, [this] { listener_->stop(); });
    thread_.join();  // returns because stop() leaves the context without work
  }

  std::string answer_to(std::string_view request) {
    LoopbackClient client(port_);
    client.send(request);
    return client.read_all();
  }

  HttpListener::Stats stats() {
    std::promise<HttpListener::Stats> seen;
    boost::asio::post(context_, [&] { seen.set_value(listener_->stats()); });
    return seen.get_future().get();
  }

  boost::asio::io_context context_;
  std::unique_ptr<HttpListener> listener_;
  std::string metrics_ = "stentor_up 1\n";
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

constexpr std::string_view kClose = "Connection: close\r\n\r\n";

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(kClose);
}

TEST_F(HttpListenerTest, GivesTheMetricsAsPrometheusReadsThem) {
  start();
  const std::string answer = answer_to(get("/metrics"));

  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
            std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nstentor_up 1\n")) << answer;
}

TEST_F(HttpListenerTest, IgnoresAQuery) {
  start();
  EXPECT_TRUE(answer_to(get("/metrics?name=x")).starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpListenerTest, SaysHealthInOneLine) {
  start();
  EXPECT_TRUE(answer_to(get("/healthz")).ends_with("\r\n\r\nok\n"));

  const std::string not_ready = answer_to(get("/readyz"));
  EXPECT_TRUE(not_ready.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << not_ready;
  EXPECT_TRUE(not_ready.ends_with("\r\n\r\nrecovering\n")) << not_ready;
}

TEST_F(HttpListenerTest, KnowsNoOtherPage) {
  start();
  EXPECT_TRUE(answer_to(get("/")).starts_with("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_TRUE(answer_to(get("/metrics/../etc/passwd")).starts_with("HTTP/1.1 404"));
}

TEST_F(HttpListenerTest, TakesNothingButGet) {
  start();
  const std::string answer =
      answer_to("POST /metrics HTTP/1.1\r\nHost: h\r\n" + std::string(kClose));

  EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n")) << answer;
  EXPECT_NE(answer.find("Allow: GET\r\n"), std::string::npos);
}

TEST_F(HttpListenerTest, RefusesABody) {
  start();
  EXPECT_TRUE(answer_to("GET /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
                  .starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpListenerTest, RefusesWhatIsNotHttpAndCloses) {
  start();
  EXPECT_TRUE(answer_to("\x16\x03\x01 garbage\r\n\r\n").starts_with("HTTP/1.1 400 Bad Request"));
  EXPECT_TRUE(answer_to("GET\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(stats().refused, 2U);
}

TEST_F(HttpListenerTest, AHeaderOverTheLimitIsRefusedAndOneAtItIsNot) {
  start();
  const std::string start_of = "GET /healthz HTTP/1.1\r\nX: ";
  const std::string end_of = "\r\n" + std::string(kClose);
  const auto header_of = [&](std::size_t octets) {
    return start_of + std::string(octets - start_of.size() - end_of.size(), 'x') + end_of;
  };

  EXPECT_TRUE(answer_to(header_of(8192)).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(answer_to(header_of(8193)).starts_with("HTTP/1.1 431 "));
  // Far more than is ever read: the answer still arrives, no reset overtakes it.
  EXPECT_TRUE(answer_to(header_of(60000)).starts_with("HTTP/1.1 431 "));
}

TEST_F(HttpListenerTest, KeepsTheConnectionForTheNextRequest) {
  start();
  LoopbackClient client(port_);

  client.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.read_until("\nok\n").starts_with("HTTP/1.1 200 OK"));
  client.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.read_until("\nok\n").starts_with("HTTP/1.1 200 OK"));
}

TEST_F(HttpListenerTest, AnswersPipelinedRequestsInTheirOrder) {
  start();
  const std::string answers = answer_to("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n" + get("/nope"));

  const std::size_t first = answers.find("HTTP/1.1 200");
  const std::size_t second = answers.find("HTTP/1.1 404");
  EXPECT_EQ(first, 0U);
  EXPECT_NE(second, std::string::npos);
}

TEST_F(HttpListenerTest, CutsAClientThatDoesNotFinishItsRequest) {
  start({.request_within = 20ms});
  LoopbackClient client(port_);
  client.send("GET /metrics HTTP/1.1\r\nHos");

  EXPECT_EQ(client.read_all(), "");  // returns: the connection was closed on it
  EXPECT_EQ(stats().cut, 1U);
}

TEST_F(HttpListenerTest, CutsAClientThatNeverSpeaks) {
  start({.request_within = 20ms});
  LoopbackClient client(port_);

  EXPECT_EQ(client.read_all(), "");
}

TEST_F(HttpListenerTest, CutsAClientThatDoesNotReadItsAnswer) {
  metrics_.assign(64U << 20U, 'm');  // more than both sockets' buffers hold
  start({.request_within = 100ms});
  LoopbackClient silent(port_);
  silent.send(get("/metrics"));

  // Another client is served meanwhile and afterwards; the silent one's rest never comes.
  while (stats().cut == 0) std::this_thread::yield();
  EXPECT_TRUE(answer_to(get("/healthz")).starts_with("HTTP/1.1 200 OK"));
  EXPECT_LT(silent.read_all().size(), metrics_.size());
}

TEST_F(HttpListenerTest, AnIdleConnectionGivesWayWhenAllAreTaken) {
  start({.connections = 2});
  LoopbackClient idle(port_);
  idle.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(idle.read_until("\nok\n").starts_with("HTTP/1.1 200 OK"));
  LoopbackClient busy(port_);
  busy.send("GET /healthz HTTP/1.1\r\nHost: h\r\n");

  EXPECT_TRUE(answer_to(get("/healthz")).starts_with("HTTP/1.1 200 OK"));
  EXPECT_EQ(idle.read_all(), "");
  busy.send(kClose);
  EXPECT_TRUE(busy.read_all().starts_with("HTTP/1.1 200 OK"));
}

TEST_F(HttpListenerTest, StopsWhileClientsAreConnected) {
  start();
  LoopbackClient client(port_);
  client.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_FALSE(client.read_until("\nok\n").empty());

  boost::asio::post(context_, [this] { listener_->stop(); });
  EXPECT_EQ(client.read_all(), "");
  EXPECT_FALSE(LoopbackClient(port_).is_connected());
}

TEST(HttpListener, SaysThatThePortIsTaken) {
  boost::asio::io_context context;
  const HttpPages pages{.metrics = [] { return std::string(); },
                        .healthz = [] { return Health{}; },
                        .readyz = [] { return Health{}; }};
  const auto first = HttpListener::listen(context, "127.0.0.1", 0, pages);
  ASSERT_TRUE(first.has_value());

  const auto second = HttpListener::listen(context, "127.0.0.1", (*first)->port(), pages);

  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error(), std::errc::address_in_use);
}

TEST(HttpListener, SaysThatAnAddressIsNotOurs) {
  boost::asio::io_context context;
  EXPECT_FALSE(HttpListener::listen(context, "192.0.2.1", 9, {}).has_value());
}

}  // namespace
}  // namespace stentor::daemon
