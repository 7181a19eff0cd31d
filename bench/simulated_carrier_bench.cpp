// How many messages a session carries into the simulator on one core.
//
// Timed      for each message: submit_sm encoded by our session, decoded, judged and answered by
//            the simulator, and its response decoded and matched by ours; a window at a time.
//            From hand to hand one thread plays both sides; over a socket the simulator has a
//            thread and a loopback connection of its own, and CPU is that of the session's thread,
//            send() and recv() included.
// Not timed  TLS, journalling, what the daemon does with the result.
// Reads as   items_per_second = submit_sm answered a second of the thread's CPU time. Goal:
//            1,000,000 with a window of 1000.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/smsc/server.h"
#include "bench/smsc/session.h"
#include "bench/smsc/smsc.h"
#include "protocol/session.h"

namespace stentor {
namespace {

class Counter final : public protocol::SessionHandler {
 public:
  void on_bound() override {}
  void on_submit_resp(std::uint64_t, protocol::CommandStatus, std::string_view) override {
    ++responses;
  }
  void on_deliver(std::uint32_t, const protocol::DeliverSm&) override {}
  std::uint64_t responses = 0;
};

constexpr std::string_view kText =
    "Your order 20417 has left the warehouse and will be with you tomorrow between 10 and 14.";
const protocol::SubmitSm kSubmit{
    .source = {{5, 0}, "SHOP"},
    .destination = {{1, 1}, "79161234567"},
    .validity_period = "000003000000000R",
    .registered_delivery = 1,
    .short_message = {reinterpret_cast<const std::uint8_t*>(kText.data()), kText.size()}};

void carry_into_the_simulator(benchmark::State& state) {
  const auto window = static_cast<std::size_t>(state.range(0));
  const smsc::Now now{.steady = smsc::TimePoint{} + std::chrono::hours(1),
                      .wall_nanoseconds = 1'795'229'400'000'000'000};
  smsc::Smsc carrier({.receipts = false}, nullptr, now);
  smsc::Session far_side(carrier, 1, now);
  Counter counter;
  protocol::Session session({.limits = {.window = window}}, counter);
  std::vector<std::uint8_t> octets;
  std::uint64_t written = 0;
  const auto pass = [&] {
    session.swap_outgoing(octets);
    written += octets.size();
    session.on_written(written);
    benchmark::DoNotOptimize(far_side.on_octets(octets, now));
    const auto answers = far_side.outgoing();
    session.on_octets(answers, now.steady);
    far_side.on_written(answers.size());
  };
  session.on_connected(now.steady);
  pass();
  std::uint64_t cookie = 0;

  for (auto _ : state) {
    while (session.window_free() != 0) {
      benchmark::DoNotOptimize(session.submit(kSubmit, ++cookie, now.steady));
    }
    pass();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(counter.responses));
}
BENCHMARK(carry_into_the_simulator)->Arg(100)->Arg(1000)->Arg(10000);

// stentor-smsc as it is, on a thread of its own; ends with the object.
class Simulator {
 public:
  Simulator() : server_(settings(), nullptr), thread_([this] { (void)server_.run(); }) {}
  ~Simulator() {
    ::kill(::getpid(), SIGTERM);  // its thread sees it: ours has it blocked
    thread_.join();
    const sigset_t ends = signals();
    const timespec at_once{};
    ::sigtimedwait(&ends, nullptr, &at_once);  // seen, and not taken: it would end the next one
  }
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  [[nodiscard]] std::uint16_t port() const {
    const std::string address = server_.address();
    return static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
  }

 private:
  static sigset_t signals() {
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::sigaddset(&ends, SIGINT);
    return ends;
  }
  static smsc::Settings settings() {
    const sigset_t ends = signals();
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    return {.port = 0, .receipts = false};
  }
  smsc::Server server_;
  std::thread thread_;
};

class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("the simulator cannot be connected");
    }
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void write(std::span<const std::uint8_t> octets) {
    while (!octets.empty()) {
      const ssize_t count = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (count < 0) throw std::runtime_error("the simulator closed the connection");
      octets = octets.subspan(static_cast<std::size_t>(count));
    }
  }
  [[nodiscard]] std::span<const std::uint8_t> read() {
    const ssize_t count = ::recv(socket_, inbox_.data(), inbox_.size(), 0);
    if (count <= 0) throw std::runtime_error("the simulator closed the connection");
    return std::span(inbox_).first(static_cast<std::size_t>(count));
  }

 private:
  int socket_;
  std::vector<std::uint8_t> inbox_ = std::vector<std::uint8_t>(std::size_t{64} << 10);
};

// As a link does it: what is free of the window is filled, written at once, and what came is read.
// A window's octets fit the kernel's buffers, so that a write that waits is no deadlock.
void carry_over_a_socket(benchmark::State& state) {
  const Simulator simulator;
  Connection connection(simulator.port());
  Counter counter;
  protocol::Session session({.limits = {.window = static_cast<std::size_t>(state.range(0))}},
                            counter);
  std::vector<std::uint8_t> octets;
  std::uint64_t written = 0;
  std::uint64_t cookie = 0;
  const auto turn = [&] {
    const auto now = std::chrono::steady_clock::now();
    while (session.window_free() != 0) {
      benchmark::DoNotOptimize(session.submit(kSubmit, ++cookie, now));
    }
    session.swap_outgoing(octets);
    connection.write(octets);
    written += octets.size();
    session.on_written(written);
    session.on_octets(connection.read(), now);
  };
  session.on_connected(std::chrono::steady_clock::now());
  while (!session.is_bound()) turn();
  for (auto _ : state) turn();
  state.SetItemsProcessed(static_cast<std::int64_t>(counter.responses));
}
BENCHMARK(carry_over_a_socket)->Arg(1000)->Arg(2000)->MinTime(2);

}  // namespace
}  // namespace stentor
