// What a start takes in of receipts that matched nothing has the bounds that it has while the
// daemon runs.
#include <gtest/gtest.h>

#include <string>

#include "tests/daemon/tracking/tracked_carrier.h"

namespace stentor::daemon {
namespace {

using protocol::MessageState;
using States = std::vector<State>;

protocol::Receipt named(std::string_view id) {
  protocol::Receipt receipt;
  receipt.message_id = id;
  receipt.state = MessageState::delivered;
  return receipt;
}

protocol::Receipt unnamed(std::uint16_t reference) {
  protocol::Receipt receipt = named("");
  receipt.user_message_reference = reference;
  receipt.source = "79160000099";
  receipt.destination = "SHOP";
  return receipt;
}

TEST(RestoredOrphans, TakeNoMoreOctetsThanWhileItRuns) {
  TrackedCarrier carrier;
  constexpr std::size_t kIdOctets = 60'000;
  constexpr std::size_t kCame = 600;  // 36 MB
  const std::size_t fit = EarlyReceipts::kOctetsMax / kIdOctets;

  for (std::size_t i = 0; i < kCame; ++i) {
    carrier.tracker().restore_unmatched(named(std::to_string(i) + std::string(kIdOctets, 'x')),
                                        carrier.now().wall_ms);
    ASSERT_LE(carrier.tracker().early(), fit);
  }

  carrier.tracker().finish_restoring({}, {}, carrier.now());
  const OrphanReport report = carrier.tracker().orphans(1);
  EXPECT_GE(report.kept, fit - 1);
  ASSERT_EQ(report.newest.size(), 1u);
  EXPECT_TRUE(report.newest[0].message_id.starts_with(std::to_string(kCame - 1) + 'x'));
}

TEST(RestoredOrphans, AreTheNewest) {
  TrackedCarrier carrier;
  for (std::size_t i = 0; i < EarlyReceipts::kEntriesMax + 1; ++i) {
    carrier.tracker().restore_unmatched(named("x" + std::to_string(i)), carrier.now().wall_ms);
  }
  carrier.tracker().finish_restoring({}, {}, carrier.now());
  EXPECT_EQ(carrier.tracker().early(), EarlyReceipts::kEntriesMax);
  const auto oldest = carrier.accept();
  carrier.take(oldest, "x0");
  EXPECT_EQ(carrier.told_of(oldest), States{});
  const auto next = carrier.accept();
  carrier.take(next, "x1");
  EXPECT_EQ(carrier.told_of(next), States{State::delivered});
}

TEST(RestoredOrphans, ThoseThatNameNoIdPushOutNoOthersOverARestart) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.receive("8f00", MessageState::delivered);
  for (std::size_t i = 0; i < EarlyReceipts::kEntriesMax; ++i) {
    carrier.receive(unnamed(static_cast<std::uint16_t>(i)));
  }
  ASSERT_EQ(carrier.tracker().early(), EarlyReceipts::kUnnamedMax + 1);

  carrier.restart();

  EXPECT_EQ(carrier.tracker().early(), EarlyReceipts::kUnnamedMax + 1);
  carrier.take(at, "8f00");
  EXPECT_EQ(carrier.told_of(at), States{State::delivered});
}

// Each is matched at once: a later one finds the places that they left.
TEST(RestoredOrphans, ThoseThatWereMatchedPushOutNoOthersOverARestart) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.receive("8f00", MessageState::delivered);
  for (std::size_t i = 0; i < EarlyReceipts::kEntriesMax; ++i) {
    const std::string id = "x" + std::to_string(i);
    const auto other = carrier.accept();
    carrier.receive(id, MessageState::delivered);
    carrier.take(other, id);
  }
  ASSERT_EQ(carrier.tracker().early(), 1u);

  carrier.restart();

  EXPECT_EQ(carrier.tracker().early(), 1u);
  carrier.take(at, "8f00");
  EXPECT_EQ(carrier.told_of(at), States{State::delivered});
}

}  // namespace
}  // namespace stentor::daemon
