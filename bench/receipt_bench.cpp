// What a receipt costs from its octets to the segment it is about.
//
// Timed      one deliver_sm with text and TLVs decoded, parsed, its message id spelt in every way
//            that the rule allows, and the segment found among N that await a receipt.
// Not timed  sockets, the journal, the events that follow.
// Reads as   ns an iteration, one thread; ids come in no order, so that with many outstanding each
//            look is a cache miss, as it is in earnest. Goal: under 300 ns.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "daemon/tracking/outstanding.h"
#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/message_id.h"
#include "protocol/receipt.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kFirstId = 0x812FC7470000001B;

protocol::Octets receipt_of(const std::string& id) {
  const std::string text =
      "id:" + id +
      " sub:001 dlvrd:001 submit date:2406071200 done date:2406071201 stat:DELIVRD err:000 "
      "text:Your order 20417 ha";
  protocol::Octets tlvs;
  protocol::append_tlv_text(tlvs, protocol::tag::kReceiptedMessageId, id);
  protocol::append_tlv_u8(tlvs, protocol::tag::kMessageState, 2);
  protocol::Octets pdu;
  (void)protocol::append_deliver_sm(
      pdu, 1,
      {.source = {{1, 1}, "79161234567"},
       .destination = {{5, 0}, "SHOP"},
       .esm_class = 0x04,
       .short_message = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()},
       .tlvs = protocol::Tlvs(tlvs)});
  return pdu;
}

// `spell` is how the carrier writes in receipts what submit_sm_resp had as hexadecimal.
template <class Spell>
void match(benchmark::State& state, protocol::MessageIdRule rule, Spell&& spell) {
  constexpr std::size_t kReceipts = 8192;  // some 2 MiB: they too come from outside the cache
  const auto count = static_cast<std::uint64_t>(state.range(0));
  Outstanding outstanding({}, 1'790'000'000);
  for (std::uint64_t i = 0; i < count; ++i) {
    OutstandingSegment segment;
    segment.at = queue::Locator(i + 1);
    outstanding.put(outstanding.fingerprint(fmt::format("{:x}", kFirstId + i)), segment);
  }
  std::mt19937_64 random(1);
  std::vector<protocol::Octets> receipts;
  for (std::size_t i = 0; i < kReceipts; ++i) {
    receipts.push_back(receipt_of(spell(kFirstId + random() % count)));
  }
  std::uint64_t found = 0;
  std::size_t next = 0;
  for (auto _ : state) {
    const auto deliver = protocol::decode_short_message(receipts[next]);
    next = (next + 1) % kReceipts;
    const auto receipt = protocol::parse_receipt(*deliver);
    const auto spellings = protocol::spellings_of(receipt->message_id, rule);
    for (std::uint8_t i = 0; i < spellings.count; ++i) {
      const auto key = outstanding.fingerprint(spellings.candidates[i].text());
      if (outstanding.find(key)) {
        ++found;
        break;
      }
    }
  }
  if (found != static_cast<std::uint64_t>(state.iterations())) state.SkipWithError("not found");
}

void verbatim(benchmark::State& state) {
  match(state, protocol::MessageIdRule::verbatim,
        [](std::uint64_t id) { return fmt::format("{:x}", id); });
}
BENCHMARK(verbatim)->Arg(1000)->Arg(1'000'000);

void automatic_and_as_it_stands(benchmark::State& state) {
  match(state, protocol::MessageIdRule::automatic,
        [](std::uint64_t id) { return fmt::format("{:X}", id); });
}
BENCHMARK(automatic_and_as_it_stands)->Arg(1000)->Arg(1'000'000);

void automatic_and_decimal(benchmark::State& state) {
  match(state, protocol::MessageIdRule::automatic,
        [](std::uint64_t id) { return fmt::format("{}", id); });
}
BENCHMARK(automatic_and_decimal)->Arg(1000)->Arg(1'000'000);

}  // namespace
}  // namespace stentor::daemon
