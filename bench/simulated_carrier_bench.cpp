// How many messages a session carries into the simulator on one core.
//
// Timed      for each message: submit_sm encoded by our session, decoded, judged and answered by
// the
//            simulator's, and its response decoded and matched by ours; a window at a time.
// Not timed  sockets, TLS, journalling: octets pass from hand to hand.
// Reads as   items_per_second = submit_sm answered; one thread plays both sides. Goal: 1,000,000.
#include <benchmark/benchmark.h>

#include <chrono>
#include <string_view>
#include <vector>

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

void carry_into_the_simulator(benchmark::State& state) {
  constexpr std::string_view kText =
      "Your order 20417 has left the warehouse and will be with you tomorrow between 10 and 14.";
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
  const protocol::SubmitSm submit{
      .source = {{5, 0}, "SHOP"},
      .destination = {{1, 1}, "79161234567"},
      .validity_period = "000003000000000R",
      .registered_delivery = 1,
      .short_message = {reinterpret_cast<const std::uint8_t*>(kText.data()), kText.size()}};
  std::uint64_t cookie = 0;

  for (auto _ : state) {
    while (session.window_free() != 0) {
      benchmark::DoNotOptimize(session.submit(submit, ++cookie, now.steady));
    }
    pass();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(counter.responses));
}
BENCHMARK(carry_into_the_simulator)->Arg(100)->Arg(1000)->Arg(10000);

}  // namespace
}  // namespace stentor
