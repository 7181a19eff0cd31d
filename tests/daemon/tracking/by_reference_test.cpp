// Receipts whose id fits nothing, or that have none, and the user_message_reference they give back.
#include <gtest/gtest.h>

#include "tests/daemon/tracking/tracked_carrier.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using protocol::MessageState;
using States = std::vector<State>;

class ByReference : public testing::Test {
 protected:
  TrackedCarrier carrier_;
};

TEST_F(ByReference, AReceiptWithAStrangeIdOrNoneMatches) {
  for (const char* id : {"a-stranger", ""}) {
    const auto at = carrier_.accept();
    carrier_.take(at, "8f00");
    carrier_.receive_named(id, carrier_.reference_of(at), MessageState::delivered);
    EXPECT_EQ(carrier_.told_of(at), States{State::delivered}) << id;
    EXPECT_TRUE(carrier_.written.back().by_reference);
    EXPECT_EQ(carrier_.tracker().outstanding(), 0u);
  }
  EXPECT_EQ(carrier_.stats.receipts_by_reference, 2u);
}

TEST_F(ByReference, TheIdGoesBeforeTheReference) {
  const auto meant = carrier_.accept();
  const auto other = carrier_.accept();
  carrier_.take(meant, "8f00");
  carrier_.take(other, "8f01");
  carrier_.receive_named("8f00", carrier_.reference_of(other), MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(meant), States{State::delivered});
  EXPECT_TRUE(carrier_.told_of(other).empty());
  EXPECT_FALSE(carrier_.written.back().by_reference);
}

TEST_F(ByReference, AnotherHandsetOrSenderIsAStranger) {
  const auto at = carrier_.accept();
  carrier_.take(at, "8f00");
  const std::uint16_t reference = carrier_.reference_of(at);
  carrier_.receive_named("", reference, MessageState::delivered, "79160000002");
  carrier_.receive_named("", reference, MessageState::delivered, "79160000001", "BANK");
  carrier_.receive_named("", reference, MessageState::delivered, "", "");
  EXPECT_TRUE(carrier_.told_of(at).empty());
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 3u);
}

// 65,536 references are 8,192 messages of up to eight parts.
TEST_F(ByReference, AReferenceThatComesAgainToTheSameNumberNamesNeither) {
  const auto first = carrier_.accept(ReceiptWish::all, "+79160000001", 100);
  const auto second = carrier_.accept(ReceiptWish::all, "+79160000001", 100 + 8192);
  ASSERT_EQ(carrier_.reference_of(first), carrier_.reference_of(second));
  carrier_.take(first, "8f00");
  carrier_.take(second, "8f01");
  carrier_.receive_named("", carrier_.reference_of(first), MessageState::undeliverable);
  EXPECT_TRUE(carrier_.told_of(first).empty());
  EXPECT_TRUE(carrier_.told_of(second).empty());
  // Their ids do.
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("8f01", MessageState::expired);
  EXPECT_EQ(carrier_.told_of(first), States{State::delivered});
  EXPECT_EQ(carrier_.told_of(second), States{State::expired});
}

TEST_F(ByReference, OfALateCopyOfAnEarlierMessagesReceiptNothingIsTold) {
  const auto first = carrier_.accept(ReceiptWish::all, "+79160000001", 100);
  const auto second = carrier_.accept(ReceiptWish::all, "+79160000001", 100 + 8192);
  carrier_.take(first, "8f00");
  carrier_.receive_named("x", carrier_.reference_of(first), MessageState::delivered);
  carrier_.take(second, "8f01");
  carrier_.receive_named("x", carrier_.reference_of(first), MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(first), States{State::delivered});
  EXPECT_TRUE(carrier_.told_of(second).empty());
}

TEST_F(ByReference, PartsAreToldApart) {
  const auto at = carrier_.accept();
  carrier_.take(at, "a1", 1, 2);
  carrier_.take(at, "a2", 2, 2);
  carrier_.receive_named("", carrier_.reference_of(at, 2), MessageState::undeliverable);
  EXPECT_EQ(carrier_.written.back().part, 2);
  carrier_.receive_named("", carrier_.reference_of(at, 1), MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), States{State::failed});
}

TEST_F(ByReference, ASecondCopyIsKnownAndAnotherFinalIsAConflict) {
  const auto at = carrier_.accept();
  carrier_.take(at, "8f00");
  const std::uint16_t reference = carrier_.reference_of(at);
  carrier_.receive_named("", reference, MessageState::delivered);
  carrier_.receive_named("", reference, MessageState::delivered);
  EXPECT_EQ(carrier_.stats.receipts_duplicate, 1u);
  carrier_.receive_named("", reference, MessageState::undeliverable);
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 1u);
  EXPECT_TRUE(carrier_.written.back().by_reference) << "which its history says";
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 0u);
}

TEST_F(ByReference, MatchesAndKnowsCopiesAfterARestart) {
  const auto early = carrier_.accept();
  const auto late = carrier_.accept();
  carrier_.take(early, "8f00");
  carrier_.take(late, "8f01");
  carrier_.receive_named("", carrier_.reference_of(early), MessageState::delivered);
  carrier_.restart();
  EXPECT_EQ(carrier_.tracker().outstanding(), 1u);
  carrier_.receive_named("", carrier_.reference_of(early), MessageState::delivered);
  carrier_.receive_named("", carrier_.reference_of(late), MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(early), States{State::delivered});
  EXPECT_EQ(carrier_.told_of(late), States{State::delivered});
  EXPECT_EQ(carrier_.count(Written::Kind::receipt), 2u);
}

TEST_F(ByReference, IsHeldAMinuteForItsResponseAlsoOverARestart) {
  const auto soon = carrier_.accept();
  carrier_.submit(soon);
  carrier_.receive_named("", carrier_.reference_of(soon), MessageState::delivered);
  carrier_.restart();
  carrier_.pass(60s);
  carrier_.take(soon, "8f00");
  EXPECT_EQ(carrier_.told_of(soon), States{State::delivered});

  const auto late = carrier_.accept();
  carrier_.submit(late);
  carrier_.receive_named("", carrier_.reference_of(late), MessageState::delivered);
  carrier_.pass(61s);
  carrier_.take(late, "8f01");
  EXPECT_TRUE(carrier_.told_of(late).empty()) << "a stranger's, by all that is known";
  carrier_.restart();
  EXPECT_TRUE(carrier_.told_of(late).empty());
}

TEST_F(ByReference, AContradictionAheadOfTheResponseIsToldOnceHoweverOftenItStarts) {
  const auto at = carrier_.accept();
  carrier_.receive_named("", carrier_.reference_of(at), MessageState::delivered);
  carrier_.receive_named("", carrier_.reference_of(at), MessageState::expired);
  carrier_.take(at, "8f00");
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  for (int again = 0; again < 2; ++again) carrier_.restart();
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 1u);
}

TEST_F(ByReference, CorrectsAMessageThatWasToldUnknown) {
  const auto at = carrier_.accept();
  carrier_.take(at, "8f00");
  carrier_.pass(3h);
  carrier_.sweep();
  carrier_.receive_named("", carrier_.reference_of(at), MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), (States{State::unknown, State::delivered}));
}

}  // namespace
}  // namespace stentor::daemon
