// Somebody sets the machine's clock while messages wait, or between two starts.
#include <gtest/gtest.h>

#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using test::kLateMaxMs;
using test::OwnedTime;

constexpr milliseconds kTenYears = 87'660h;
constexpr std::uint32_t kRate = 10;

class WaitingPlaces : public OwnedTime {
 protected:
  explicit WaitingPlaces(RecoveredCarrier::Setting setting = {}) : OwnedTime(setting) {}
  static constexpr std::uint32_t kExpires = kSecond + 10;
  static constexpr std::uint32_t kMuchLater = kSecond + 36'000;

  void wait_everywhere() {
    waiting_.push_back(take(kExpires));
    waiting_.push_back(take(kExpires, kMuchLater * 1000ull));
    const queue::Locator retried = accept(1, kExpires).front();
    Retry retry;
    retry.attempts = 1;
    carrier().restore_retry(retried, retry);
    carrier().restore_waiting(pick(retried, kExpires), kMuchLater * 1000ull);
    waiting_.push_back(retried);
    waiting_.push_back(hold(kExpires, 0));
  }
  void expect_expire_at(std::uint64_t date_ms) {
    run_until(date_ms - 1);
    for (const queue::Locator at : waiting_) EXPECT_FALSE(end_of(at)) << "it still had time";
    run_until(date_ms + kLateMaxMs);
    for (const queue::Locator at : waiting_) {
      const auto ended = end_of(at);
      if (!ended) {
        ADD_FAILURE() << "it waits for ever";
        continue;
      }
      EXPECT_EQ(ended->state, State::expired);
      EXPECT_GE(ended->time_ms, date_ms);
      EXPECT_LT(ended->time_ms, date_ms + kLateMaxMs);
    }
  }

  std::vector<queue::Locator> waiting_;
};

class ClockJump : public WaitingPlaces, public testing::WithParamInterface<milliseconds> {
 protected:
  ClockJump() : WaitingPlaces({.window = 1000, .rate = kRate}) {}
};

TEST_P(ClockJump, WhateverWaitsExpiresInItsRealTime) {
  wait_everywhere();
  run_until(kBegin + 3'000);
  clock_.step(GetParam());
  expect_expire_at(kExpires * 1000ull);
}

TEST_P(ClockJump, TimersKeepTheirPace) {
  constexpr std::uint64_t kDue = kBegin + 12'345;
  (void)take(kMuchLater, kDue);
  const queue::Locator doubted = hold(kMuchLater, kDue);
  run_until(kBegin + 3'000);
  clock_.step(GetParam());
  constexpr std::uint64_t kLater = kBegin + 7'000;
  (void)take(kMuchLater, kLater);  // set on the other side of the jump

  run_until(kLater - 1);
  EXPECT_EQ(carrier().snapshot().waiting_timers, 2u);
  run_until(kLater + kLateMaxMs);
  EXPECT_EQ(carrier().snapshot().waiting_timers, 1u);
  run_until(kDue - 1);
  EXPECT_EQ(carrier().snapshot().waiting_timers, 1u);
  EXPECT_FALSE(end_of(doubted));
  run_until(kDue + kLateMaxMs);
  EXPECT_EQ(carrier().snapshot().waiting_timers, 0u);
  EXPECT_TRUE(end_of(doubted));
}

TEST_P(ClockJump, NothingIsSentInABurst) {
  test::LoopbackSmsc smsc(known_.context);
  ASSERT_TRUE(bind(smsc));
  for (int i = 0; i < 60; ++i) (void)take(kMuchLater);
  run_until(kBegin + 1'000);
  clock_.step(GetParam());
  std::size_t before = carrier().snapshot().stats.submitted;
  EXPECT_GT(before, 0u);
  for (std::uint64_t second = 2; second <= 5; ++second) {
    run_until(kBegin + second * 1000);
    const std::size_t sent = carrier().snapshot().stats.submitted;
    EXPECT_GE(sent - before, kRate - 1);
    EXPECT_LE(sent - before, kRate + 1) << "a second, and one quantum";
    before = sent;
  }
}

INSTANTIATE_TEST_SUITE_P(ByHoursAndYears, ClockJump,
                         testing::Values(milliseconds(1h), milliseconds(-1h), kTenYears,
                                         -kTenYears));

class StartBeforeTheJournal : public WaitingPlaces {
 protected:
  // Recovery hands the messages over first.
  void start() { clock_.start_after(kBegin + 3'600'000); }
};

TEST_F(StartBeforeTheJournal, PausesExpiryForAMinuteWhereverAMessageWaits) {
  wait_everywhere();
  start();
  expect_expire_at(kBegin + 60'000);
}

TEST_F(StartBeforeTheJournal, PausesTheEndOfAWaitForAReceiptToo) {
  const queue::Locator doubted = hold(kMuchLater, kBegin + 5'000);
  start();
  run_until(kBegin + 59'999);
  EXPECT_FALSE(end_of(doubted));
  run_until(kBegin + 60'000 + kLateMaxMs);
  EXPECT_TRUE(end_of(doubted));
}

TEST_F(StartBeforeTheJournal, SendsNothingBeforeItsTimeForThat) {
  test::LoopbackSmsc smsc(known_.context);
  ASSERT_TRUE(bind(smsc));
  waiting_.push_back(take(kExpires, kMuchLater * 1000ull));
  start();
  expect_expire_at(kBegin + 60'000);
  EXPECT_TRUE(smsc.submitted().empty());
}

}  // namespace
}  // namespace stentor::daemon
