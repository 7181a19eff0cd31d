// What a PDU costs: written, read, and carried through a session.
//
// Timed      one PDU an iteration, from fields to octets or from octets to fields; for the session
//            one submit_sm out and its response in, as a carrier's round trip would have it.
// Not timed  sockets, TLS, journalling, what the daemon does with the result.
// Reads as   ns an iteration; hot caches, one thread. Goals: encode submit_sm under 60 ns, decode
//            its response under 30 ns, parse a receipt with text and TLVs under 300 ns, and a
//            session over 1,000,000 submit_sm a second.
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <string_view>
#include <vector>

#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/message_id.h"
#include "protocol/receipt.h"
#include "protocol/session.h"

namespace stentor::protocol {
namespace {

constexpr std::string_view kText =
    "Your order 20417 has left the warehouse and will be with you tomorrow between 10 and 14.";
constexpr std::string_view kReceiptText =
    "id:812fc7470000001b sub:001 dlvrd:001 submit date:2406071200 done date:2406071201 "
    "stat:DELIVRD err:000 text:Your order 20417 ha";

std::span<const std::uint8_t> octets_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

SubmitSm submit_of(std::span<const std::uint8_t> tlvs = {}) {
  return {.source = {{5, 0}, "SHOP"},
          .destination = {{1, 1}, "79161234567"},
          .validity_period = "000003000000000R",
          .registered_delivery = 1,
          .short_message = octets_of(kText),
          .tlvs = Tlvs(tlvs)};
}

void encode_submit_sm(benchmark::State& state) {
  Octets tlvs;
  append_tlv_u16(tlvs, tag::kUserMessageReference, 0x1234);
  SubmitSm submit = submit_of(tlvs);
  Octets out;
  std::uint32_t sequence_number = 0;
  for (auto _ : state) {
    if (out.size() > 60000) out.clear();  // as the session's buffer is taken now and then
    benchmark::DoNotOptimize(submit);
    benchmark::DoNotOptimize(append_submit_sm(out, ++sequence_number, submit));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(encode_submit_sm);

void decode_submit_sm_resp(benchmark::State& state) {
  Octets pdu;
  (void)append_submit_resp(pdu, 77, CommandStatus::ok, "812fc7470000001b");
  for (auto _ : state) {
    benchmark::DoNotOptimize(pdu.data());
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(front_pdu_octets(pdu));
    benchmark::DoNotOptimize(decode_header(pdu));
    benchmark::DoNotOptimize(decode_submit_resp(pdu));
  }
}
BENCHMARK(decode_submit_sm_resp);

Octets receipt_pdu() {
  Octets tlvs;
  append_tlv_text(tlvs, tag::kReceiptedMessageId, "812fc7470000001b");
  append_tlv_u8(tlvs, tag::kMessageState, 2);
  append_tlv(tlvs, tag::kNetworkErrorCode, std::array<std::uint8_t, 3>{3, 0, 0});
  Octets pdu;
  (void)append_deliver_sm(pdu, 1,
                          {.source = {{1, 1}, "79161234567"},
                           .destination = {{5, 0}, "SHOP"},
                           .esm_class = 0x04,
                           .short_message = octets_of(kReceiptText),
                           .tlvs = Tlvs(tlvs)});
  return pdu;
}

void decode_deliver_sm(benchmark::State& state) {
  const Octets pdu = receipt_pdu();
  for (auto _ : state) benchmark::DoNotOptimize(decode_short_message(pdu));
}
BENCHMARK(decode_deliver_sm);

// From octets to the spellings by which a receipt is looked up.
void read_receipt(benchmark::State& state) {
  const Octets pdu = receipt_pdu();
  for (auto _ : state) {
    const auto deliver = decode_short_message(pdu);
    const auto receipt = parse_receipt(*deliver);
    benchmark::DoNotOptimize(spellings_of(receipt->message_id, MessageIdRule::verbatim));
  }
}
BENCHMARK(read_receipt);

void read_receipt_trying_every_rule(benchmark::State& state) {
  const Octets pdu = receipt_pdu();
  for (auto _ : state) {
    const auto deliver = decode_short_message(pdu);
    const auto receipt = parse_receipt(*deliver);
    benchmark::DoNotOptimize(spellings_of("9308878062554710043", MessageIdRule::automatic));
    benchmark::DoNotOptimize(receipt);
  }
}
BENCHMARK(read_receipt_trying_every_rule);

class Counter final : public SessionHandler {
 public:
  void on_bound() override {}
  void on_submit_resp(std::uint64_t, CommandStatus, std::string_view) override { ++responses; }
  void on_deliver(std::uint32_t, const DeliverSm&) override {}
  std::uint64_t responses = 0;
};

// A window is filled, taken, answered in one read: as on a loaded link.
void carry_a_window(benchmark::State& state) {
  const auto window = static_cast<std::size_t>(state.range(0));
  const TimePoint now{std::chrono::hours(1)};
  Counter counter;
  Session session({.limits = {.window = window}}, counter);
  session.on_connected(now);
  Octets answers;
  (void)append_bind_resp(answers, 1, BindType::transceiver, CommandStatus::ok, {"SMSC", 0x34});
  session.on_octets(answers, now);
  Octets taken;
  std::uint64_t written = 0;
  session.swap_outgoing(taken);
  written += taken.size();
  const SubmitSm submit = submit_of();
  std::uint64_t cookie = 0;

  for (auto _ : state) {
    answers.clear();
    while (session.window_free() != 0) {
      const auto sequence_number = session.submit(submit, ++cookie, now);
      (void)append_submit_resp(answers, **sequence_number, CommandStatus::ok, "812fc7470000001b");
    }
    session.swap_outgoing(taken);
    written += taken.size();
    session.on_written(written);
    session.on_octets(answers, now);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(counter.responses));
}
BENCHMARK(carry_a_window)->Arg(10)->Arg(100)->Arg(1000);

}  // namespace
}  // namespace stentor::protocol
