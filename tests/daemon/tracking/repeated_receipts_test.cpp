// Receipts that say again what is known: histories have the first few, and nothing else changes.
#include <gtest/gtest.h>

#include "daemon/tracking/further_copies.h"
#include "tests/daemon/tracking/tracked_carrier.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using protocol::MessageState;
using States = std::vector<State>;

class RepeatedReceipts : public testing::Test {
 protected:
  queue::Locator taken(std::string_view id) {
    const auto at = carrier_.accept();
    carrier_.take(at, id);
    return at;
  }
  [[nodiscard]] std::size_t again() const { return carrier_.count(Written::Kind::again); }
  TrackedCarrier carrier_;
};

TEST_F(RepeatedReceipts, ASecondCopyIsWrittenAsItCameAndChangesNothing) {
  const auto at = taken("8f00");
  carrier_.receive("8f00", MessageState::undeliverable);
  carrier_.pass(2s);
  protocol::Receipt copy;
  copy.message_id = "8F00";
  copy.state = MessageState::undeliverable;
  copy.stat = "UNDELIV";
  copy.err = "011";
  carrier_.receive(copy);

  ASSERT_EQ(again(), 1u);
  const Written& written = carrier_.written.back();
  EXPECT_EQ(written.kind, Written::Kind::again);
  EXPECT_EQ(written.message, at.bits());
  EXPECT_EQ(written.state, State::none);
  EXPECT_EQ(written.part, 1);
  EXPECT_TRUE(written.is_final);
  EXPECT_EQ(written.message_id, "8F00");
  EXPECT_EQ(written.stat, "UNDELIV");
  EXPECT_EQ(written.err, "011");
  EXPECT_EQ(written.code, "undeliverable");
  EXPECT_EQ(written.time_ms, carrier_.now().wall_ms);
  EXPECT_FALSE(written.by_reference);
  EXPECT_EQ(carrier_.told_of(at), States{State::failed});
  EXPECT_EQ(carrier_.stats.receipts_duplicate, 1u);
  EXPECT_EQ(carrier_.stats.receipts_failed, 1u) << "it is counted once";
}

TEST_F(RepeatedReceipts, WhatComesBehindAFinalOneAndKnowsNoBetterIsWritten) {
  taken("8f00");
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("8f00", MessageState::enroute);
  ASSERT_EQ(again(), 1u);
  EXPECT_FALSE(carrier_.written.back().is_final);
  carrier_.receive("8f00", MessageState::unknown);
  EXPECT_EQ(again(), 2u);
  EXPECT_TRUE(carrier_.written.back().is_final);
}

TEST_F(RepeatedReceipts, BehindUnknownAnotherThatKnowsNoBetterIsWrittenAndACorrectionIsNone) {
  const auto at = taken("8f00");
  carrier_.receive("8f00", MessageState::unknown);
  carrier_.receive("8f00", MessageState::unknown);
  carrier_.receive("8f00", MessageState::enroute);
  EXPECT_EQ(again(), 2u);
  carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(again(), 2u);
  EXPECT_EQ(carrier_.told_of(at), (States{State::unknown, State::delivered}));
}

TEST_F(RepeatedReceipts, AContradictionIsAConflictAlone) {
  taken("8f00");
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(again(), 0u);
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 1u);
}

TEST_F(RepeatedReceipts, AReferenceFindsItsSegmentToo) {
  const auto at = taken("8f00");
  const std::uint16_t reference = carrier_.reference_of(at);
  carrier_.receive_named("", reference, MessageState::delivered);
  carrier_.receive_named("", reference, MessageState::delivered);
  ASSERT_EQ(again(), 1u);
  EXPECT_TRUE(carrier_.written.back().by_reference);
  EXPECT_EQ(carrier_.written.back().message, at.bits());
}

TEST_F(RepeatedReceipts, ACarrierThatRepeatsOneForEverDoesNotFillTheJournal) {
  const auto at = taken("8f00");
  taken("8f01");
  carrier_.receive("8f00", MessageState::delivered);
  for (int i = 0; i < 1000; ++i) carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(again(), FurtherCopies::kWrittenMax);
  EXPECT_EQ(carrier_.stats.receipts_duplicate, 1000u);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});

  carrier_.receive("8f01", MessageState::delivered);
  carrier_.receive("8f01", MessageState::delivered);
  EXPECT_EQ(again(), FurtherCopies::kWrittenMax + 1u) << "each segment has its own";
}

TEST_F(RepeatedReceipts, EachPartHasItsOwn) {
  const auto at = carrier_.accept();
  carrier_.take(at, "a1", 1, 2);
  carrier_.take(at, "a2", 2, 2);
  for (const char* id : {"a1", "a2"}) {
    for (int i = 0; i < 20; ++i) carrier_.receive(id, MessageState::delivered);
  }
  EXPECT_EQ(again(), 2u * FurtherCopies::kWrittenMax);
}

TEST_F(RepeatedReceipts, WhereTheRecordCannotBeReadItIsCountedAndTheDiskAskedNoMoreForIt) {
  const auto at = taken("8f00");
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.damage(at);
  for (int i = 0; i < 20; ++i) carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(again(), 0u);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 0u);
  EXPECT_EQ(carrier_.stats.receipts_duplicate, 20u);
  EXPECT_EQ(carrier_.stats.records_unreadable, FurtherCopies::kWrittenMax);
}

// Three parts: the first failed, the others stayed silent until the message was over.
class ComeLate : public RepeatedReceipts {
 protected:
  queue::Locator failed_with_silent_parts() {
    const auto at = carrier_.accept();
    for (std::uint8_t part = 1; part <= 3; ++part) {
      carrier_.take(at, "a" + std::to_string(part), part, 3);
    }
    carrier_.receive("a1", MessageState::expired);
    carrier_.pass(3h);
    carrier_.sweep();
    EXPECT_EQ(carrier_.told_of(at), States{State::expired});
    EXPECT_EQ(carrier_.tracker().outstanding(), 0u);
    carrier_.pass(20h);
    return at;
  }
};

TEST_F(ComeLate, ToAPartThatWasSilentIsAReceiptAndItsCopyIsOne) {
  const auto at = failed_with_silent_parts();
  carrier_.receive("a2", MessageState::delivered);
  const Written& written = carrier_.written.back();
  ASSERT_EQ(written.kind, Written::Kind::receipt);
  EXPECT_EQ(written.message, at.bits());
  EXPECT_EQ(written.part, 2);
  EXPECT_EQ(written.state, State::none);
  EXPECT_EQ(written.corrects, State::none);
  EXPECT_EQ(carrier_.stats.receipts_delivered, 1u);

  carrier_.receive("a2", MessageState::delivered);
  EXPECT_EQ(again(), 1u);
  carrier_.receive("a2", MessageState::undeliverable);
  EXPECT_EQ(carrier_.conflicts_of(at), 1u);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 0u);
}

TEST_F(ComeLate, WithWorseThanTheMessageCameToIsAConflict) {
  const auto at = failed_with_silent_parts();
  carrier_.receive("a3", MessageState::undeliverable);
  ASSERT_EQ(carrier_.written.back().kind, Written::Kind::conflict);
  EXPECT_EQ(carrier_.written.back().part, 3);
  EXPECT_EQ(carrier_.told_of(at), States{State::expired});
  carrier_.receive("a3", MessageState::undeliverable);
  EXPECT_EQ(carrier_.conflicts_of(at), 1u) << "its copy is none";
  carrier_.receive("a2", MessageState::expired);
  EXPECT_EQ(carrier_.written.back().kind, Written::Kind::receipt);
}

TEST_F(ComeLate, AndKnowingNoBetterIsWrittenForTheHistoryAlone) {
  failed_with_silent_parts();
  carrier_.receive("a2", MessageState::unknown);
  carrier_.receive("a2", MessageState::enroute);
  EXPECT_EQ(again(), 2u);
  carrier_.receive("a2", MessageState::delivered);
  EXPECT_EQ(carrier_.written.back().kind, Written::Kind::receipt);
}

TEST_F(ComeLate, ByItsReferenceAlone) {
  const auto at = failed_with_silent_parts();
  carrier_.receive_named("", carrier_.reference_of(at, 2), MessageState::delivered);
  ASSERT_EQ(carrier_.written.back().kind, Written::Kind::receipt);
  EXPECT_TRUE(carrier_.written.back().by_reference);
  EXPECT_EQ(carrier_.written.back().part, 2);
  carrier_.receive_named("", carrier_.reference_of(at, 2), MessageState::delivered);
  EXPECT_EQ(again(), 1u);
}

TEST_F(ComeLate, BehindARestart) {
  const auto at = failed_with_silent_parts();
  carrier_.restart();
  carrier_.receive("a2", MessageState::delivered);
  EXPECT_EQ(carrier_.written.back().kind, Written::Kind::receipt);
  EXPECT_EQ(carrier_.written.back().message, at.bits());
  carrier_.restart();
  carrier_.receive("a2", MessageState::delivered);
  EXPECT_EQ(again(), 1u);
}

TEST_F(ComeLate, WhenTheMessagesOwnFileIsGoneByTheRecordThatEndedIt) {
  const auto at = failed_with_silent_parts();
  carrier_.commit();
  carrier_.retire(at);
  carrier_.receive("a2", MessageState::delivered);
  EXPECT_EQ(carrier_.written.back().kind, Written::Kind::receipt);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 0u);
}

TEST_F(ComeLate, WhileTheRecordCannotBeReadIsKeptAndToldOnceItCan) {
  const auto at = failed_with_silent_parts();
  carrier_.damage(at);
  carrier_.receive("a2", MessageState::delivered);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 1u);
  carrier_.mend(at);
  carrier_.pass(1min);
  carrier_.tracker().on_second(carrier_.now());
  EXPECT_EQ(carrier_.written.back().kind, Written::Kind::receipt);
  EXPECT_EQ(carrier_.written.back().part, 2);
}

TEST_F(ComeLate, AFailureWhereOnlyFailuresWereAskedForIsAConflict) {
  const auto single = carrier_.accept(ReceiptWish::failure);
  const auto several = carrier_.accept(ReceiptWish::failure);
  const auto good = carrier_.accept(ReceiptWish::failure);
  carrier_.take(single, "s");
  carrier_.take(several, "b1", 1, 2);
  carrier_.take(several, "b2", 2, 2);
  carrier_.take(good, "g");
  carrier_.pass(3h);
  carrier_.sweep();
  carrier_.pass(20h);
  carrier_.receive("b2", MessageState::undeliverable);
  EXPECT_EQ(carrier_.conflicts_of(several), 1u);
  carrier_.receive("g", MessageState::delivered);
  EXPECT_EQ(carrier_.written.back().kind, Written::Kind::receipt);
  EXPECT_EQ(carrier_.conflicts_of(good), 0u);
  for (const auto at : {single, several, good}) {
    EXPECT_EQ(carrier_.told_of(at), States{State::sent_final});
  }
  carrier_.restart();
  carrier_.receive("s", MessageState::undeliverable);
  EXPECT_EQ(carrier_.conflicts_of(single), 1u);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 0u);
}

TEST_F(ComeLate, ToAMessageThatWasOverWithoutItsReceiptsIsOne) {
  const auto at = carrier_.accept();
  carrier_.take(at, "a1", 1, 2);
  carrier_.tracker().forget(at);
  carrier_.pass(3h);
  carrier_.sweep();
  carrier_.receive("a1", MessageState::undeliverable);
  EXPECT_EQ(carrier_.written.back().kind, Written::Kind::receipt);
}

TEST_F(RepeatedReceipts, AStartWritesNoneOfThemAgain) {
  const auto at = taken("8f00");
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("8f00", MessageState::delivered);
  for (int start = 0; start < 2; ++start) carrier_.restart();
  EXPECT_EQ(again(), 1u);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

// It came when its segment was forgotten, or its rule was wrong: the start knows better, each time.
TEST_F(RepeatedReceipts, AnOrphanThatAStartKnowsForACopyIsNotWrittenAtEachStart) {
  taken("8f00");
  carrier_.receive("8f00", MessageState::delivered);
  Written orphan;
  orphan.kind = Written::Kind::orphan;
  orphan.message_id = "8f00";
  orphan.message_state = static_cast<std::uint8_t>(MessageState::delivered);
  orphan.is_final = true;
  carrier_.pass(1s);
  orphan.time_ms = carrier_.now().wall_ms;
  carrier_.written.push_back(orphan);
  for (int start = 0; start < 3; ++start) carrier_.restart();
  EXPECT_EQ(carrier_.stats.receipts_duplicate, 3u);
  EXPECT_EQ(again(), 0u);
  carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(again(), 1u);
}

TEST(FurtherCopies, CountsTheOldestSegmentAnewBeyondItsBound) {
  FurtherCopies copies;
  const auto segment = [](std::size_t i) {
    return queue::Locator(1, 64, static_cast<std::uint32_t>(i));
  };
  for (int i = 0; i < FurtherCopies::kWrittenMax; ++i) EXPECT_TRUE(copies.count(segment(0), 1));
  EXPECT_FALSE(copies.count(segment(0), 1));
  for (std::size_t i = 1; i < FurtherCopies::kSegmentsMax; ++i) {
    EXPECT_TRUE(copies.count(segment(i), 1));
  }
  EXPECT_FALSE(copies.count(segment(0), 1)) << "as many as there may be";
  EXPECT_TRUE(copies.count(segment(0), 2));
  EXPECT_TRUE(copies.count(segment(0), 1)) << "one more, and it is forgotten";
}

}  // namespace
}  // namespace stentor::daemon
