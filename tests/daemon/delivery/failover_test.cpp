#include "daemon/delivery/failover.h"

#include <gtest/gtest.h>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using Stage = Failover::Stage;

using test::kStart;

TEST(Failover, ABlinkMovesNothing) {
  Failover failover(5s);
  failover.on_standing(true, kStart);
  failover.on_standing(false, kStart + 1s);
  EXPECT_EQ(failover.stage(), Stage::blink);
  EXPECT_EQ(failover.deadline(), kStart + 6s);
  failover.on_time(kStart + 6s - 1ms);
  EXPECT_EQ(failover.stage(), Stage::blink);
  failover.on_standing(true, kStart + 6s);
  EXPECT_EQ(failover.stage(), Stage::home);
}

TEST(Failover, AfterItsGraceWhatWaitsMayLeave) {
  Failover failover(5s);
  failover.on_standing(true, kStart);
  failover.on_standing(false, kStart);
  failover.on_standing(false, kStart + 4s);  // told again: the grace does not begin anew
  failover.on_time(kStart + 5s);
  EXPECT_EQ(failover.stage(), Stage::away);
  EXPECT_FALSE(failover.gives_back());
  EXPECT_EQ(failover.deadline(), Failover::TimePoint::max());
}

TEST(Failover, ASuspensionIsNoBlink) {
  Failover failover(5s);
  failover.on_standing(true, kStart);
  failover.on_standing(false, kStart, true);
  failover.on_time(kStart);
  EXPECT_EQ(failover.stage(), Stage::away);

  Failover down_first(5s);
  down_first.on_standing(false, kStart);
  down_first.on_standing(false, kStart + 1s, true);
  down_first.on_time(kStart + 1s);
  EXPECT_EQ(down_first.stage(), Stage::away);
}

TEST(Failover, NewMessagesWaitBehindThoseThatAreAboutToMove) {
  Failover failover(5s);
  failover.on_standing(false, kStart);
  EXPECT_FALSE(failover.keeps_new(true)) << "it was never up: nothing is on its way through it";
  failover.on_standing(true, kStart);
  EXPECT_FALSE(failover.keeps_new(true));
  failover.on_standing(false, kStart);
  EXPECT_TRUE(failover.keeps_new(true));
  EXPECT_FALSE(failover.keeps_new(false)) << "nothing waits: they go elsewhere at once";
  failover.on_time(kStart + 5s);
  EXPECT_TRUE(failover.keeps_new(true)) << "until the last one has moved";
}

TEST(Failover, AtAStartNewMessagesWaitBehindABacklog) {
  Failover failover(5s);
  failover.on_backlog();
  failover.on_standing(false, kStart);
  EXPECT_TRUE(failover.keeps_new(true)) << "until it is known whether the carrier comes up";
  EXPECT_EQ(failover.deadline(), kStart + 5s);
  failover.on_time(kStart + 5s);
  EXPECT_EQ(failover.stage(), Stage::away);
  EXPECT_TRUE(failover.keeps_new(true)) << "until the last one has moved";
  EXPECT_FALSE(failover.keeps_new(false));
}

TEST(Failover, WhatStayedIsJudgedAgainWhenAnotherCarrierComesUp) {
  Failover failover(0s);
  failover.on_ups(3);
  failover.on_standing(false, kStart);
  failover.on_time(kStart);
  failover.on_ups(3);
  EXPECT_FALSE(failover.gives_back());
  failover.on_ups(4);
  EXPECT_TRUE(failover.gives_back());
  failover.on_returned();
  EXPECT_EQ(failover.stage(), Stage::away);
  EXPECT_FALSE(failover.gives_back());
}

TEST(Failover, GivesBackWhatStayedWhenItIsUpAgain) {
  Failover failover(0s);
  failover.on_standing(false, kStart);
  failover.on_time(kStart);
  failover.on_standing(true, kStart + 1s);
  EXPECT_EQ(failover.stage(), Stage::returning);
  EXPECT_TRUE(failover.gives_back());
  failover.on_standing(false, kStart + 2s);
  EXPECT_EQ(failover.stage(), Stage::away);
  EXPECT_TRUE(failover.gives_back()) << "half of it is back: all of it first";
  failover.on_returned();
  failover.on_standing(true, kStart + 3s);
  failover.on_returned();
  EXPECT_EQ(failover.stage(), Stage::home);
}

}  // namespace
}  // namespace stentor::daemon
