// Orphans are tried again when somebody corrects the rule of their ids.
#include <gtest/gtest.h>

#include "tests/daemon/tracking/tracked_carrier.h"

namespace stentor::daemon {
namespace {

using protocol::MessageIdRule;
using protocol::MessageState;
using States = std::vector<State>;

class Rematching : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 5; ++i) {
      const auto at = carrier_.accept();
      carrier_.take(at, "3b9aca0" + std::to_string(i));
      carrier_.receive(std::to_string(1'000'000'000 + i), MessageState::delivered);
      sent_.push_back(at);
    }
    carrier_.receive("a-stranger", MessageState::delivered);
    ASSERT_EQ(carrier_.tracker().early(), 6u);
  }
  TrackedCarrier carrier_{MessageIdRule::verbatim};
  std::vector<queue::Locator> sent_;
};

TEST_F(Rematching, MatchesByTheNewRuleAFewAtATimeTheOldestFirst) {
  carrier_.tracker().start_rematch(MessageIdRule::decimal);
  EXPECT_EQ(carrier_.tracker().early(), 6u) << "they are kept while they wait for their turn";

  const Rematched first = carrier_.tracker().rematch_some(2, carrier_.now());
  EXPECT_EQ(first.tried, 2u);
  EXPECT_EQ(first.matched, 2u);
  EXPECT_EQ(carrier_.told_of(sent_[1]), States{State::delivered});
  EXPECT_TRUE(carrier_.told_of(sent_[2]).empty());

  const Rematched rest = carrier_.tracker().rematch_some(100, carrier_.now());
  EXPECT_EQ(rest.tried, 4u);
  EXPECT_EQ(rest.matched, 3u);
  EXPECT_EQ(carrier_.tracker().rematch_some(100, carrier_.now()).tried, 0u);
  EXPECT_EQ(carrier_.tracker().early(), 1u) << "the stranger is kept";
  EXPECT_EQ(carrier_.stats.receipts_matched_late, 5u);
  for (const auto at : sent_) EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

TEST_F(Rematching, WhatCameBeforeItsSubmitStaysAnOrphanByAnyRule) {
  carrier_.receive("1000000153", MessageState::undeliverable);
  carrier_.pass(std::chrono::seconds(1));
  const auto at = carrier_.accept();
  carrier_.take(at, "3b9aca99");
  carrier_.tracker().start_rematch(MessageIdRule::decimal);
  EXPECT_EQ(carrier_.tracker().rematch_some(100, carrier_.now()).matched, 5u);
  EXPECT_TRUE(carrier_.told_of(at).empty());

  carrier_.receive("1000000153", MessageState::delivered);
  carrier_.tracker().start_rematch(MessageIdRule::automatic);
  EXPECT_EQ(carrier_.tracker().rematch_some(100, carrier_.now()).matched, 0u);
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 0u);
}

TEST_F(Rematching, TheNewRuleIsForReceiptsToComeToo) {
  carrier_.tracker().start_rematch(MessageIdRule::decimal);
  const auto at = carrier_.accept();
  carrier_.take(at, "3b9aca99");
  carrier_.receive("1000000153", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  EXPECT_EQ(carrier_.tracker().rule(), MessageIdRule::decimal);
}

TEST_F(Rematching, ByAnotherWrongRuleNothingIsLost) {
  carrier_.tracker().start_rematch(MessageIdRule::hex);
  EXPECT_EQ(carrier_.tracker().rematch_some(100, carrier_.now()).matched, 0u);
  carrier_.tracker().start_rematch(MessageIdRule::automatic);
  EXPECT_EQ(carrier_.tracker().rematch_some(100, carrier_.now()).matched, 5u);
}

TEST_F(Rematching, WhatWaitsForItsTurnIsTriedOnceMoreWhenTheRuleChangesAgain) {
  carrier_.tracker().start_rematch(MessageIdRule::hex);
  EXPECT_EQ(carrier_.tracker().rematch_some(2, carrier_.now()).tried, 2u);
  carrier_.tracker().start_rematch(MessageIdRule::decimal);
  EXPECT_EQ(carrier_.tracker().rematch_some(100, carrier_.now()).matched, 5u);
}

// The rule was corrected until then only, and is the wrong one again.
TEST_F(Rematching, WhatWasMatchedBeforeARestartStaysSo) {
  carrier_.tracker().start_rematch(MessageIdRule::decimal);
  (void)carrier_.tracker().rematch_some(100, carrier_.now());
  const auto parted = carrier_.accept();
  carrier_.take(parted, "3b9aca88", 1, 2);
  carrier_.take(parted, "3b9aca99", 2, 2);
  carrier_.receive("1000000153", MessageState::delivered);
  const std::size_t before = carrier_.tracker().outstanding();

  carrier_.restart();

  EXPECT_EQ(carrier_.tracker().early(), 1u);
  EXPECT_EQ(carrier_.tracker().outstanding(), before);
  for (const auto at : sent_) EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

// With the corrected rule in the configuration.
TEST_F(Rematching, ARestartTriesAllOfThem) {
  carrier_.configure(MessageIdRule::decimal);
  carrier_.restart();
  for (const auto at : sent_) EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  EXPECT_EQ(carrier_.tracker().early(), 1u);
}

}  // namespace
}  // namespace stentor::daemon
