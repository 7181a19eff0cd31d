// What is on the wire was on disk before, and what may go next is on disk ahead of need.
#include <gtest/gtest.h>

#include <set>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

class IntentReserve : public test::OwnedTime {
 protected:
  IntentReserve() : OwnedTime({.window = kWindow}) {}
  static constexpr std::uint32_t kWindow = 4;
  static constexpr std::uint32_t kReserve = 4;  // as much again: the carrier has no rate
  static constexpr std::uint32_t kExpires = kSecond + 36'000;
  // More turns than anything here needs.
  static constexpr int kManyTurns = 20;

  void hand_over_all(const std::vector<queue::Locator>& places) {
    for (const queue::Locator at : places) hand_over(at, kExpires);
  }
  std::multiset<std::uint64_t> intended() {
    std::multiset<std::uint64_t> sequences;
    read_journal([&](const queue::Record& record) {
      if (static_cast<RecordKind>(record.kind) != RecordKind::intent) return;
      const auto intent = decode_intent(record.payload);
      ASSERT_TRUE(intent);
      sequences.insert(intent->sequences.begin(), intent->sequences.end());
    });
    return sequences;
  }
  ::testing::AssertionResult settle_until_submitted(std::size_t count) {
    return settle_until([&] { return smsc_.submitted().size() == count; });
  }
  void settle_often() {
    for (int i = 0; i < kManyTurns; ++i) settle();
  }
  Replay::Report as_the_next_start_sees_it() {
    CommitThread none{CommitThread::Options{}};
    RecoveredCarrier later(disk_.files(), disk_.journal(), none, {});
    Replay replay = later.replay(clock_.wall_ms());
    read_journal([&](const queue::Record& record) { replay.visit(record); });
    replay.finish(1);
    return replay.report();
  }

  test::LoopbackSmsc smsc_{known_.context};
};

TEST_F(IntentReserve, NothingIsWrittenToTheSocketBeforeItsIntentIsDurable) {
  ASSERT_TRUE(bind(smsc_));
  const auto places = accept(20, kExpires);
  is_journal_held_back_ = true;
  hand_over_all(places);

  ASSERT_TRUE(settle_until([&] { return carrier().snapshot().reserved == kWindow + kReserve; }));
  settle_often();
  EXPECT_EQ(carrier().snapshot().stats.submitted, 0u);
  EXPECT_TRUE(smsc_.submitted().empty());

  is_journal_held_back_ = false;
  ASSERT_TRUE(settle_until_submitted(kWindow));
}

TEST_F(IntentReserve, WhatTheCarrierGotIsInTheJournalAtEveryMoment) {
  ASSERT_TRUE(bind(smsc_));
  constexpr std::size_t kMessages = 40;
  hand_over_all(accept(kMessages, kExpires));
  for (std::size_t answered = 0; answered < kMessages; ++answered) {
    ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() > answered; }));
    const auto durable = intended();
    for (std::size_t i = 0; i < smsc_.submitted().size(); ++i) {
      ASSERT_TRUE(smsc_.submitted()[i].pdu.contains("message " + std::to_string(i + 1) + "."));
      ASSERT_EQ(durable.count(i + 1), 1u) << "message " << i + 1 << " had no intent";
    }
    ASSERT_LE(durable.size(), answered + kWindow + kReserve) << "no more may be in doubt";
    smsc_.answer(answered, protocol::CommandStatus::ok, std::to_string(1000 + answered));
  }
  ASSERT_TRUE(settle_until([&] { return carrier().snapshot().reserved == 0; }));
}

TEST_F(IntentReserve, IsFilledAheadSoThatAnAnswerMakesRoomAtOnce) {
  ASSERT_TRUE(bind(smsc_));
  hand_over_all(accept(20, kExpires));
  ASSERT_TRUE(settle_until_submitted(kWindow));
  ASSERT_TRUE(settle_until([&] { return intended().size() == kWindow + kReserve; }));

  is_journal_held_back_ = true;
  for (std::size_t i = 0; i < kReserve; ++i) {
    smsc_.answer(i, protocol::CommandStatus::ok, std::to_string(1000 + i));
    ASSERT_TRUE(settle_until_submitted(kWindow + i + 1)) << "without the disk";
  }
  for (std::size_t i = kReserve; i < kReserve + kWindow; ++i) {
    smsc_.answer(i, protocol::CommandStatus::ok, std::to_string(1000 + i));
  }
  ASSERT_TRUE(settle_until(
      [&] { return carrier().snapshot().stats.segments_accepted == kWindow + kReserve; }));
  settle_often();
  EXPECT_EQ(smsc_.submitted().size(), kWindow + kReserve) << "the reserve is used up";

  is_journal_held_back_ = false;
  ASSERT_TRUE(settle_until_submitted(2 * kWindow + kReserve));
}

TEST_F(IntentReserve, IsInDoubtAfterAKillWithWhatWasWritten) {
  ASSERT_TRUE(bind(smsc_));
  hand_over_all(accept(20, kExpires));
  ASSERT_TRUE(settle_until_submitted(kWindow));
  ASSERT_TRUE(settle_until([&] { return intended().size() == kWindow + kReserve; }));

  const Replay::Report report = as_the_next_start_sees_it();
  EXPECT_EQ(report.in_doubt, kWindow + kReserve);
  EXPECT_EQ(report.waiting, 20u);
}

TEST_F(IntentReserve, IsReleasedWithTheLinkAndGoesAgainFreely) {
  ASSERT_TRUE(bind(smsc_));
  hand_over_all(accept(20, kExpires));
  ASSERT_TRUE(settle_until_submitted(kWindow));
  ASSERT_TRUE(settle_until([&] { return intended().size() == kWindow + kReserve; }));

  smsc_.go_away();
  ASSERT_TRUE(settle_until([&] { return carrier().snapshot().reserved == 0; }));
  settle();
  std::set<std::uint64_t> released;
  std::set<std::uint64_t> doubted;
  read_journal([&](const queue::Record& record) {
    if (const auto taken_back = static_cast<RecordKind>(record.kind) == RecordKind::released
                                    ? decode_released(record.payload)
                                    : std::nullopt) {
      released.insert(taken_back->sequences.begin(), taken_back->sequences.end());
    }
    if (const auto uncertain = static_cast<RecordKind>(record.kind) == RecordKind::uncertain
                                   ? decode_uncertain(record.payload)
                                   : std::nullopt) {
      doubted.insert(decode_subject(uncertain->of.subject)->id.sequence());
    }
  });
  EXPECT_EQ(doubted, (std::set<std::uint64_t>{1, 2, 3, 4})) << "written, and not answered";
  EXPECT_EQ(released, (std::set<std::uint64_t>{5, 6, 7, 8})) << "certainly not written";
  const Replay::Report report = as_the_next_start_sees_it();
  EXPECT_EQ(report.in_doubt, 0u) << "all that was in doubt has been told so";
  EXPECT_EQ(report.waiting, 20u);
}

// 50 ms of the rate, at most a window, at least one (docs/architecture.md, "It is reserved").
class ReserveOfARate : public test::OwnedTime {
 protected:
  ReserveOfARate(std::uint32_t window, std::uint32_t rate)
      : OwnedTime({.window = window, .rate = rate}) {}
  static constexpr std::uint32_t kExpires = kSecond + 36'000;

  struct Reserved {
    std::size_t ahead;       ///< at once, of more than enough
    std::size_t altogether;  ///< when the carrier has answered nothing for long
  };
  Reserved reserved() {
    EXPECT_TRUE(bind(smsc_));
    for (const queue::Locator at : accept(300, kExpires)) hand_over(at, kExpires);
    for (int i = 0; i < 20; ++i) settle();
    Reserved found{};
    found.ahead = carrier().snapshot().reserved - smsc_.submitted().size();
    run_until(clock_.wall_ms() + 15'000);
    found.altogether = carrier().snapshot().reserved;
    return found;
  }

  test::LoopbackSmsc smsc_{known_.context};
  std::size_t answered_ = 0;
};
class ReserveOfASlowCarrier : public ReserveOfARate {
 protected:
  ReserveOfASlowCarrier() : ReserveOfARate(100, 10) {}
};
class ReserveOfAMiddlingCarrier : public ReserveOfARate {
 protected:
  ReserveOfAMiddlingCarrier() : ReserveOfARate(100, 400) {}
};
class ReserveOfAFastCarrier : public ReserveOfARate {
 protected:
  ReserveOfAFastCarrier() : ReserveOfARate(10, 4000) {}
};

TEST_F(ReserveOfAMiddlingCarrier, IsFiftyMillisecondsOfItsRate) {
  const Reserved found = reserved();
  EXPECT_EQ(found.ahead, 20u);
  EXPECT_EQ(found.altogether, 100u + 20u);
}

TEST_F(ReserveOfASlowCarrier, IsOneMessageAtLeast) {
  const Reserved found = reserved();
  EXPECT_EQ(found.ahead, 1u);
  EXPECT_EQ(found.altogether, 100u + 1u);
}

TEST_F(ReserveOfAFastCarrier, IsNoMoreThanAWindow) {
  EXPECT_EQ(reserved().altogether, 10u + 10u);
}

// A carrier that answers at once leaves its window free: still no more stands ahead.
TEST_F(ReserveOfASlowCarrier, IsOneMessageAheadHoweverMuchOfTheWindowIsFree) {
  ASSERT_TRUE(bind(smsc_));
  for (const queue::Locator at : accept(30, kExpires)) hand_over(at, kExpires);
  for (std::size_t written = 1; written <= 5; ++written) {
    ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == written; }));
    smsc_.answer(written - 1, protocol::CommandStatus::ok, std::to_string(written));
    ASSERT_TRUE(
        settle_until([&] { return carrier().snapshot().stats.segments_accepted == written; }));
    for (int i = 0; i < 20; ++i) settle();
    EXPECT_EQ(carrier().snapshot().reserved, 1u) << "behind answer " << written;
    run_until(clock_.wall_ms() + 100);  // a tenth of a second for each, at this rate
  }
}

// Rate and window say how many: what is urgent goes before all that stands in the lanes.
TEST_F(ReserveOfASlowCarrier, LetsAnUrgentMessageGoBehindOneThatIsReserved) {
  ASSERT_TRUE(bind(smsc_));
  const auto places = accept(60, kExpires);
  for (std::size_t i = 0; i + 1 < places.size(); ++i) hand_over(places[i], kExpires);
  ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == 1; }));
  for (int i = 0; i < 20; ++i) settle();

  Arrival urgent;
  urgent.expires_ms = kExpires * 1000ull;
  urgent.key = 8;
  urgent.flow = kFlow;
  urgent.priority = queue::Priority::urgent;
  carrier().take(urgent, places.back());
  run_until(clock_.wall_ms() + 200);
  ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == 3; }));
  EXPECT_TRUE(smsc_.submitted()[2].pdu.contains("message 60."));
}

// What is written to the disk now and what comes next go out meanwhile.
TEST_F(ReserveOfAMiddlingCarrier, IsMoreOnASlowDisk) {
  ASSERT_TRUE(bind(smsc_));
  const auto places = accept(1000, kExpires);
  std::size_t given = 0;
  for (int commit = 0; commit < 30; ++commit) {
    for (int i = 0; i < 20; ++i) hand_over(places[given++], kExpires);
    is_journal_held_back_ = true;
    settle();
    clock_.set(clock_.wall_ms() + 100);  // what this commit takes
    is_journal_held_back_ = false;
    settle();
    for (std::size_t i = 0; i < smsc_.submitted().size(); ++i) {
      if (i >= answered_) smsc_.answer(i, protocol::CommandStatus::ok, std::to_string(++answered_));
    }
    settle();
  }
  while (given < places.size()) hand_over(places[given++], kExpires);
  for (int i = 0; i < 20; ++i) settle();
  const std::size_t written = carrier().snapshot().stats.submitted;
  EXPECT_GT(carrier().snapshot().reserved + answered_ - written, 40u);
}

}  // namespace
}  // namespace stentor::daemon
