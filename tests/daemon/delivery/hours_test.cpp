// A message that waits for its hours keeps what is remembered of it.
#include <gtest/gtest.h>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using test::LoopbackSmsc;
using test::OwnedTime;

class WaitsForHours : public OwnedTime {
 protected:
  WaitsForHours() : OwnedTime({.window = 10}) {}
  static constexpr std::uint32_t kMuchLater = kSecond + 36'000;
  // It is 16:13 there.
  static constexpr Hours kClosed{.from = 17 * 60, .to = 18 * 60, .zone = "Europe/Berlin"};
  static constexpr std::uint64_t kOpensMs = kBegin + 47 * 60'000;

  /// A message that was tried before, and comes back to its lane outside its hours.
  queue::Locator put_off(const Retry& retry, std::size_t octets = 0) {
    padding_ = std::string(octets, 'x');
    if (!retry.taken.empty()) parts_ = static_cast<std::uint8_t>(retry.taken.size());
    hours_ = kClosed;
    const queue::Locator at = accept(1, kMuchLater).front();
    carrier().restore_retry(at, retry);
    hand_over(at, kMuchLater);
    settle();
    return at;
  }
  [[nodiscard]] std::vector<PartAnswered> answered_of(queue::Locator at) {
    std::vector<PartAnswered> parts;
    read_journal([&](const queue::Record& record) {
      if (static_cast<RecordKind>(record.kind) != RecordKind::part) return;
      const auto part = decode_part(record.payload);
      if (part && part->of.accepted == at) parts.push_back(*part);
    });
    return parts;
  }
  ::testing::AssertionResult goes_when_they_begin(std::size_t segments) {
    if (!smsc_.submitted().empty()) return ::testing::AssertionFailure() << "outside its hours";
    run_until(kOpensMs);
    if (auto went = settle_until([&] { return smsc_.submitted().size() == segments; }); !went) {
      return went;
    }
    for (std::size_t i = 0; i < segments; ++i) {
      smsc_.answer(i, protocol::CommandStatus::ok, std::to_string(1000 + i));
    }
    return settle_until([&] { return carrier().snapshot().stats.segments_accepted == segments; });
  }

  LoopbackSmsc smsc_{known_.context};
};

TEST_F(WaitsForHours, WhatMayHaveArrivedBeforeIsMarkedWhenItGoesAgain) {
  ASSERT_TRUE(bind(smsc_));
  Retry retry;
  retry.possible_duplicate = true;
  const queue::Locator at = put_off(retry);
  ASSERT_TRUE(goes_when_they_begin(1));

  const auto parts = answered_of(at);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_TRUE(parts.front().of.possible_duplicate);
}

TEST_F(WaitsForHours, PartsThatWereTakenBeforeDoNotGoAgain) {
  ASSERT_TRUE(bind(smsc_));
  Retry retry;
  retry.attempts = 1;
  retry.taken = {true, true, false};
  const queue::Locator at = put_off(retry, 400);  // three segments of 153 septets
  ASSERT_TRUE(goes_when_they_begin(1));

  const auto parts = answered_of(at);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts.front().part, 3);
  EXPECT_EQ(parts.front().attempt, 2);
}

}  // namespace
}  // namespace stentor::daemon
