// The hot path of a session allocates nothing once it is warm.
#include <gtest/gtest.h>

#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/receipt.h"
#include "protocol/session.h"
#include "tests/protocol/allocation_count.h"
#include "tests/protocol/wire.h"

namespace stentor::protocol::test {
namespace {

class Silent final : public SessionHandler {
 public:
  void on_bound() override {}
  void on_submit_resp(std::uint64_t, CommandStatus, std::string_view) override { ++responses; }
  void on_deliver(std::uint32_t sequence_number, const DeliverSm& deliver) override {
    receipts += parse_receipt(deliver) ? 1 : 0;
    session->answer(sequence_number, CommandStatus::ok);
  }
  Session* session = nullptr;
  int responses = 0;
  int receipts = 0;
};

TEST(SessionAllocation, IsNoneOnTheHotPath) {
  constexpr int kWindow = 50;
  const TimePoint now{std::chrono::hours(1)};
  const Octets text = octets_of("hi");
  const Octets receipt = octets_of("id:4f sub:001 dlvrd:001 stat:DELIVRD err:000 text:hi");
  Silent handler;
  Session session({.limits = {.window = kWindow}}, handler);
  handler.session = &session;
  session.on_connected(now);
  session.on_octets(pdu(0x80000009, 0, 1, {0}), now);
  Octets answers, taken;
  const auto turn = [&] {
    answers.clear();
    for (int count = 0; count < kWindow; ++count) {
      const auto sequence_number =
          session.submit({.destination = {{1, 1}, "79161234567"}, .short_message = text}, 7, now);
      (void)append_submit_resp(answers, sequence_number->value_or(0), CommandStatus::ok, "4f");
      (void)append_deliver_sm(answers, 5, {.esm_class = 4, .short_message = receipt});
    }
    session.swap_outgoing(taken);
    // In two pieces, so that a PDU is cut.
    const auto half = answers.size() / 2 + 1;
    session.on_octets(std::span(answers).first(half), now);
    session.on_octets(std::span(answers).subspan(half), now);
  };
  for (int warming = 0; warming < 5; ++warming) turn();

  const std::uint64_t before = allocation_count();
  for (int turns = 0; turns < 100; ++turns) turn();
  const std::uint64_t after = allocation_count();

  EXPECT_EQ(after - before, 0u);
  EXPECT_EQ(handler.responses, 105 * kWindow);
  EXPECT_EQ(handler.receipts, 105 * kWindow);
}

}  // namespace
}  // namespace stentor::protocol::test
