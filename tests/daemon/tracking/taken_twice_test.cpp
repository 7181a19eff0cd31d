// Segments that were in doubt and went again: which receipts prove that the carrier took both.
#include "daemon/tracking/taken_twice.h"

#include <gtest/gtest.h>

#include "tests/daemon/tracking/tracked_carrier.h"

namespace stentor::daemon {
namespace {

using protocol::MessageState;
using States = std::vector<State>;

class TakenTwiceTest : public testing::Test {
 protected:
  /// A message whose first answer was lost, taken at its second attempt under `id`.
  queue::Locator take_again(std::string_view id) {
    carrier_.after_doubt = true;
    const auto at = carrier_.accept();
    carrier_.take(at, id);
    return at;
  }
  void report(queue::Locator at, std::string_view id, MessageState state) {
    carrier_.receive_named(id, carrier_.reference_of(at), state);
  }
  [[nodiscard]] std::vector<Written> confirmed() const {
    std::vector<Written> found;
    for (const Written& one : carrier_.written) {
      if (one.kind == Written::Kind::taken_twice) found.push_back(one);
    }
    return found;
  }

  TrackedCarrier carrier_;
};

TEST_F(TakenTwiceTest, TwoReceiptsUnderTwoIdsProveItInEitherOrder) {
  for (const bool is_first_attempts_first : {false, true}) {
    carrier_.written.clear();
    const auto at = take_again("8f01");
    report(at, is_first_attempts_first ? "8e77" : "8f01", MessageState::delivered);
    EXPECT_TRUE(confirmed().empty());
    report(at, is_first_attempts_first ? "8f01" : "8e77", MessageState::delivered);
    const auto told = confirmed();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].message, at.bits());
    EXPECT_EQ(told[0].message_id, is_first_attempts_first ? "8e77" : "8f01");
    EXPECT_EQ(told[0].other_message_id, is_first_attempts_first ? "8f01" : "8e77");
    EXPECT_TRUE(told[0].possible_duplicate);
    EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
    EXPECT_EQ(carrier_.count(Written::Kind::orphan), 0u);
  }
  EXPECT_EQ(carrier_.stats.confirmed_duplicates, 2u);
}

TEST_F(TakenTwiceTest, IsToldOnceHoweverOftenTheReceiptsCome) {
  const auto at = take_again("8f01");
  for (int i = 0; i < 3; ++i) {
    report(at, "8f01", MessageState::delivered);
    report(at, "8e77", MessageState::delivered);
  }
  EXPECT_EQ(confirmed().size(), 1u);
  EXPECT_EQ(carrier_.stats.receipts_duplicate, 5u);
}

// Some carriers write other ids into receipts than into submit_sm_resp, always.
TEST_F(TakenTwiceTest, OneReceiptUnderAStrangeIdProvesNothing) {
  const auto at = take_again("8f01");
  report(at, "8e77", MessageState::delivered);
  report(at, "8e77", MessageState::delivered);
  report(at, "", MessageState::delivered);
  EXPECT_TRUE(confirmed().empty());
}

TEST_F(TakenTwiceTest, SpellingsOfOneIdProveNothing) {
  const auto at = take_again("1a");
  report(at, "1A", MessageState::delivered);
  report(at, "0026", MessageState::delivered);  // in decimal
  EXPECT_TRUE(confirmed().empty());
}

TEST_F(TakenTwiceTest, ASegmentThatWasNeverInDoubtWentOnce) {
  const auto at = carrier_.accept();
  carrier_.take(at, "8f01");
  report(at, "8e77", MessageState::delivered);
  report(at, "8e78", MessageState::delivered);
  EXPECT_TRUE(confirmed().empty());
}

TEST_F(TakenTwiceTest, TheFirstAttemptsReceiptMayStillContradict) {
  const auto at = take_again("8f01");
  report(at, "8f01", MessageState::rejected);  // the carrier saw the copy itself
  report(at, "8e77", MessageState::delivered);
  EXPECT_EQ(confirmed().size(), 1u);
  EXPECT_EQ(carrier_.conflicts_of(at), 1u);
}

TEST_F(TakenTwiceTest, PartsAreToldApart) {
  carrier_.after_doubt = true;
  const auto at = carrier_.accept();
  carrier_.take(at, "a1", 1, 2);
  carrier_.take(at, "a2", 2, 2);
  carrier_.receive_named("a1", carrier_.reference_of(at, 1), MessageState::delivered);
  carrier_.receive_named("a2", carrier_.reference_of(at, 2), MessageState::delivered);
  EXPECT_TRUE(confirmed().empty());
  carrier_.receive_named("b2", carrier_.reference_of(at, 2), MessageState::delivered);
  ASSERT_EQ(confirmed().size(), 1u);
  EXPECT_EQ(confirmed()[0].part, 2);
}

TEST_F(TakenTwiceTest, IsKnownAfterARestartAndNotToldAgain) {
  const auto at = take_again("8f01");
  report(at, "8f01", MessageState::delivered);
  carrier_.restart();
  report(at, "8e77", MessageState::delivered);
  EXPECT_EQ(confirmed().size(), 1u);
  carrier_.restart();
  report(at, "8f01", MessageState::delivered);
  report(at, "8e77", MessageState::delivered);
  EXPECT_EQ(confirmed().size(), 1u);
}

TEST(TakenTwiceWatch, ForgetsTheOldest) {
  TakenTwiceWatch watch;
  const auto at = [](std::size_t i) {
    return queue::Locator(1, 64, static_cast<std::uint32_t>(i));
  };
  for (std::size_t i = 0; i <= TakenTwiceWatch::kEntriesMax; ++i) {
    EXPECT_FALSE(watch.on_receipt(at(i), 1, "a", State::delivered));
  }
  EXPECT_FALSE(watch.said_of(at(0), 1));
  EXPECT_FALSE(watch.on_receipt(at(0), 1, "b", State::delivered)) << "it was forgotten";
  EXPECT_EQ(watch.on_receipt(at(2), 1, "b", State::delivered), "a");
}

}  // namespace
}  // namespace stentor::daemon
