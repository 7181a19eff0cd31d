// Receipts whose messages' records cannot be read: silence waits for them, and a bad disk is asked
// seldom.
#include "daemon/tracking/unread_receipts.h"

#include <gtest/gtest.h>

#include "tests/daemon/tracking/tracked_carrier.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using protocol::MessageIdRule;
using protocol::MessageState;
using States = std::vector<State>;

TEST(UnreadReceipts, HoldsEachIdOnceAndTheOldestGoesWhenItIsFull) {
  const queue::Locator first(1, 4096, 1);
  const queue::Locator other(1, 4096, 2);
  UnreadReceipts unread;
  unread.note("a", first);
  unread.note("b", other);
  unread.note("a", first);
  EXPECT_EQ(unread.size(), 2u);
  EXPECT_TRUE(unread.has_message(first));
  EXPECT_EQ(unread.take(), "a");
  EXPECT_FALSE(unread.has_message(first));
  EXPECT_FALSE(unread.contains("a"));
  EXPECT_TRUE(unread.contains("b"));
  for (std::size_t i = 0; i < EarlyReceipts::kEntriesMax; ++i) {
    unread.note("id-" + std::to_string(i), first);
  }
  EXPECT_EQ(unread.size(), EarlyReceipts::kEntriesMax);
  EXPECT_FALSE(unread.contains("b"));
  EXPECT_FALSE(unread.has_message(other));
}

class UnreadReceiptsTest : public testing::Test {
 protected:
  std::vector<queue::Locator> take_damaged(int count) {
    std::vector<queue::Locator> all;
    for (int i = 0; i < count; ++i) {
      all.push_back(carrier_.accept());
      carrier_.take(all.back(), "id-" + std::to_string(i));
      carrier_.damage(all.back());
    }
    return all;
  }
  void pass_seconds(int count) {
    for (int second = 0; second < count; ++second) {
      carrier_.pass(1s);
      carrier_.tracker().on_second(carrier_.now());
    }
  }
  TrackedCarrier carrier_;
};

TEST_F(UnreadReceiptsTest, SilenceDoesNotOverruleAReceiptThatIsKept) {
  for (const ReceiptWish wish : {ReceiptWish::all, ReceiptWish::failure}) {
    for (const std::uint8_t parts : {std::uint8_t{1}, std::uint8_t{2}}) {
      const std::string id = std::to_string(static_cast<int>(wish)) + std::to_string(parts) + "-";
      const auto at = carrier_.accept(wish);
      for (std::uint8_t part = 1; part <= parts; ++part) {
        carrier_.take(at, id + std::to_string(part), part, parts);
      }
      carrier_.damage(at);
      carrier_.receive(id + "1", MessageState::undeliverable);
      carrier_.pass(3h);
      carrier_.tracker().on_second(carrier_.now());  // it reads in vain, and rests
      carrier_.mend(at);
      carrier_.sweep();
      EXPECT_TRUE(carrier_.told_of(at).empty()) << id;
      for (int minute = 0; minute < 3; ++minute) {
        carrier_.pass(1min);
        carrier_.sweep();
      }
      EXPECT_EQ(carrier_.told_of(at), States{State::failed}) << id;
    }
  }
  EXPECT_EQ(carrier_.tracker().early(), 0u);
}

TEST_F(UnreadReceiptsTest, SilenceSpeaksWhereTheReceiptIsKeptNoLonger) {
  const auto at = take_damaged(1).front();
  carrier_.receive("id-0", MessageState::delivered);
  for (int hour = 0; hour < 71; ++hour) {
    carrier_.pass(1h);
    carrier_.sweep();
  }
  carrier_.restart();
  carrier_.pass(30min);
  carrier_.sweep();
  EXPECT_EQ(carrier_.tracker().outstanding(), 1u);
  EXPECT_EQ(carrier_.tracker().early(), 1u);
  carrier_.pass(32min);
  carrier_.sweep();
  EXPECT_EQ(carrier_.tracker().early(), 0u);
  carrier_.mend(at);
  carrier_.pass(3min);
  carrier_.sweep();
  EXPECT_EQ(carrier_.told_of(at), States{State::unknown});
}

TEST_F(UnreadReceiptsTest, SeveralReceiptsOfOneIdAreOneHoweverOftenTheyAreTried) {
  (void)take_damaged(2);
  for (int copy = 0; copy < 2; ++copy) {
    carrier_.receive("id-0", MessageState::enroute);
    carrier_.receive("id-1", MessageState::delivered);
  }
  for (int minute = 0; minute < 20; ++minute) {
    carrier_.pass(1min);
    carrier_.tracker().on_second(carrier_.now());
  }
  EXPECT_EQ(carrier_.tracker().orphans(10).unread, 2u);
  EXPECT_EQ(carrier_.tracker().early(), 4u);
}

TEST_F(UnreadReceiptsTest, AnAnswerThatIsNotKeptIsNotNoted) {
  const auto at = take_damaged(1).front();
  protocol::Receipt answer;
  answer.message_id = "id-0";
  answer.state = MessageState::delivered;
  EXPECT_FALSE(carrier_.tracker().on_query_answer(answer, carrier_.now()));
  EXPECT_FALSE(carrier_.call_back(at, "id-0"));
  EXPECT_EQ(carrier_.stats.records_unreadable, 2u);
  EXPECT_EQ(carrier_.tracker().orphans(10).unread, 0u);
}

TEST_F(UnreadReceiptsTest, SilenceAsksABadDiskTenTimesAMinute) {
  constexpr int kMessages = 3000;
  const auto all = take_damaged(kMessages);
  carrier_.pass(3h);
  carrier_.sweep();
  EXPECT_EQ(carrier_.stats.records_unreadable, 10u);
  EXPECT_EQ(carrier_.tracker().outstanding(), static_cast<std::size_t>(kMessages));
  for (const auto at : all) carrier_.mend(at);
  for (int minute = 0; minute < 3; ++minute) {
    carrier_.pass(1min);
    carrier_.sweep();
  }
  EXPECT_EQ(carrier_.stats.messages_unknown, static_cast<std::uint64_t>(kMessages));
}

TEST_F(UnreadReceiptsTest, AStartAsksABadDiskTenTimesAndForgetsNothing) {
  constexpr int kMessages = 300;
  const auto all = take_damaged(kMessages);
  for (int i = 0; i < kMessages; ++i) {
    carrier_.receive("id-" + std::to_string(i), MessageState::delivered);
  }
  const std::uint64_t before = carrier_.stats.records_unreadable;
  carrier_.restart();
  EXPECT_EQ(carrier_.stats.records_unreadable, before + 10);
  EXPECT_EQ(carrier_.tracker().early(), static_cast<std::size_t>(kMessages));
  EXPECT_EQ(carrier_.tracker().orphans(10).unread, static_cast<std::size_t>(kMessages));
  for (const auto at : all) carrier_.mend(at);
  pass_seconds(3);
  EXPECT_EQ(carrier_.stats.messages_delivered, static_cast<std::uint64_t>(kMessages));
  EXPECT_EQ(carrier_.tracker().early(), 0u);
}

TEST_F(UnreadReceiptsTest, OneThatCannotBeReadKeepsOthersFromNothing) {
  constexpr int kMessages = 300;
  const auto all = take_damaged(kMessages);
  for (int i = 0; i < kMessages; ++i) {
    carrier_.receive("id-" + std::to_string(i), MessageState::delivered);
  }
  for (const auto at : all) carrier_.mend(at);
  carrier_.damage(all[5]);
  pass_seconds(3);
  EXPECT_EQ(carrier_.stats.messages_delivered, static_cast<std::uint64_t>(kMessages - 1));
  EXPECT_EQ(carrier_.tracker().orphans(10).unread, 1u);
}

TEST_F(UnreadReceiptsTest, AnIntermediateReceiptTakesNoFinalOneWithItOverARestart) {
  const auto at = take_damaged(1).front();
  carrier_.receive("id-0", MessageState::delivered);
  carrier_.mend(at);
  carrier_.receive("id-0", MessageState::enroute);
  ASSERT_EQ(carrier_.count(Written::Kind::receipt), 1u);
  carrier_.restart();
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

TEST_F(UnreadReceiptsTest, TheEvidenceSaysWhyNothingWasExamined) {
  const auto at = carrier_.accept();
  carrier_.take(at, "8f00");
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.damage(at);
  carrier_.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(evidence_of(carrier_.tracker().orphans(10)),
            "they wait until their messages' records can be read");
  carrier_.restart();
  const OrphanReport report = carrier_.tracker().orphans(10);
  ASSERT_EQ(report.kept, 1u);
  EXPECT_EQ(evidence_of(report),
            "none to judge by: they are being tried again, or are listed alone");
}

}  // namespace
}  // namespace stentor::daemon
