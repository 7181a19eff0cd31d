// A carrier that is asked over a bound session of its own: what is asked is read back as octets.
//
// Threads  One thread.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string_view>

#include "daemon/config/config.h"
#include "protocol/encoder.h"
#include "protocol/session.h"

namespace stentor::daemon::test {

class AskedCarrier : public testing::Test, public protocol::SessionHandler {
 protected:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr TimePoint kStart{std::chrono::hours(1000)};

  AskedCarrier() {
    carrier_.name = "north";
    carrier_.window = 20;
    session_.on_connected(kStart);
    (void)written();
    protocol::Octets answer;
    EXPECT_TRUE(protocol::append_bind_resp(answer, 1, protocol::BindType::transceiver,
                                           protocol::CommandStatus::ok, {"SMSC", 0x34}));
    session_.on_octets(answer, kStart);
  }
  void on_bound() override {}
  void on_submit_resp(std::uint64_t, protocol::CommandStatus, std::string_view) override {}
  void on_deliver(std::uint32_t, const protocol::DeliverSm&) override {}

  protocol::Octets written() {
    protocol::Octets octets;
    session_.swap_outgoing(octets);
    return octets;
  }

  CarrierConfig carrier_;
  protocol::Session session_{{}, *this};
  TimePoint now_ = kStart;
};

}  // namespace stentor::daemon::test
