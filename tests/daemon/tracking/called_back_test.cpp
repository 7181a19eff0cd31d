// Segments that a carrier called back when it was asked to, and what it reports of them afterwards.
#include <gtest/gtest.h>

#include "daemon/tracking/tracker.h"
#include "tests/daemon/tracking/tracked_carrier.h"

namespace stentor::daemon {
namespace {

using protocol::MessageState;
using States = std::vector<State>;

TEST(CalledBack, ASegmentCalledBackIsCancelledAndOnlyDeliveryContradictsIt) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "8F00");
  EXPECT_FALSE(carrier.call_back(queue::Locator(9, 64, 9), "8F00")) << "another message's";
  EXPECT_TRUE(carrier.call_back(at, "8F00"));
  EXPECT_EQ(carrier.told_of(at), States{State::cancelled});
  EXPECT_EQ(carrier.written.back().code, "cancelled");
  EXPECT_FALSE(carrier.call_back(at, "8F00")) << "once";

  carrier.restart();
  carrier.receive("8f00", MessageState::deleted);
  carrier.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(carrier.stats.receipts_duplicate, 2u);
  carrier.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier.count(Written::Kind::conflict), 1u);
  EXPECT_EQ(carrier.told_of(at), States{State::cancelled});
}

TEST(CalledBack, APartCalledBackIsWorseThanDeliveredAndBetterThanFailedAcrossARestart) {
  for (const MessageState other : {MessageState::delivered, MessageState::undeliverable}) {
    TrackedCarrier carrier;
    const auto at = carrier.accept();
    carrier.take(at, "a1", 1, 2);
    carrier.take(at, "a2", 2, 2);
    EXPECT_TRUE(carrier.call_back(at, "a1"));
    EXPECT_TRUE(carrier.told_of(at).empty());
    carrier.restart();
    carrier.receive("a2", other);
    const bool is_delivered = other == MessageState::delivered;
    EXPECT_EQ(carrier.told_of(at), States{is_delivered ? State::cancelled : State::failed});
  }
}

}  // namespace
}  // namespace stentor::daemon
