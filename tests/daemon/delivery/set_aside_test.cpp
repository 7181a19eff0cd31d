#include "daemon/delivery/set_aside.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "daemon/delivery/buried_messages.h"
#include "daemon/delivery/paused_messages.h"

namespace stentor::daemon {
namespace {

queue::Lanes::Pick waiting(std::uint32_t number, queue::Flow flow = 5,
                           std::uint32_t expires = 1000) {
  return {.ticket = {.at = queue::Locator(1, 64, number), .expires = expires, .key = 7},
          .flow = flow,
          .priority = queue::Priority::normal};
}

std::vector<std::uint32_t> records(const std::vector<queue::Lanes::Pick>& picks) {
  std::vector<std::uint32_t> found;
  for (const auto& each : picks) found.push_back(each.ticket.at.record());
  return found;
}

class SetAsideTest : public testing::Test {
 protected:
  SetAside aside_;
  std::vector<queue::Lanes::Pick> taken_;
  const SetAside::Sink keep_ = [this](const queue::Lanes::Pick& each) { taken_.push_back(each); };
};

TEST_F(SetAsideTest, GivesBackTheOneThatIsAskedFor) {
  aside_.put(waiting(1));
  aside_.put(waiting(2));
  EXPECT_FALSE(aside_.take(waiting(3).ticket.at));
  const auto taken = aside_.take(waiting(2).ticket.at);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->ticket.at, waiting(2).ticket.at);
  EXPECT_FALSE(aside_.take(waiting(2).ticket.at)) << "once";
  EXPECT_EQ(aside_.waiting(), 1u);
  EXPECT_EQ(aside_.waiting(queue::Priority::normal), 1u);
}

TEST_F(SetAsideTest, TakesOutAFlowTheFirstAcceptedFirst) {
  for (const std::uint32_t number : {4u, 1u, 3u}) aside_.put(waiting(number));
  aside_.put(waiting(2, 6));
  EXPECT_EQ(aside_.waiting_of(5), 3u);
  EXPECT_EQ(aside_.take_flow(5, 2, keep_), 2u);
  EXPECT_EQ(aside_.take_flow(5, 2, keep_), 1u);
  EXPECT_EQ(records(taken_), (std::vector<std::uint32_t>{1, 3, 4}));
  EXPECT_EQ(aside_.waiting_of(5), 0u);
  EXPECT_EQ(aside_.waiting_of(6), 1u);
}

TEST_F(SetAsideTest, TakesOutWhatHasExpiredAndKnowsWhenTheNextDoes) {
  EXPECT_FALSE(aside_.earliest_expiry());
  aside_.put(waiting(1, 5, 20));
  aside_.put(waiting(2, 5, 10));
  aside_.put(waiting(3, 5, 10));
  EXPECT_EQ(aside_.earliest_expiry(), 10u);
  EXPECT_EQ(aside_.take_expired(9, 10, keep_), 0u);
  EXPECT_EQ(aside_.take_expired(10, 1, keep_), 1u);
  EXPECT_EQ(aside_.earliest_expiry(), 10u) << "another one has expired too";
  EXPECT_EQ(aside_.take_expired(10, 10, keep_), 1u);
  EXPECT_EQ(records(taken_), (std::vector<std::uint32_t>{2, 3}));
  EXPECT_EQ(aside_.earliest_expiry(), 20u);
}

TEST(PausedMessages, HoldsAMessageUntilItIsLifted) {
  PausedMessages paused;
  const queue::Locator at(1, 64, 7);
  EXPECT_FALSE(paused.holds(at));
  EXPECT_EQ(paused.pause(at), PausedMessages::Added::now);
  EXPECT_EQ(paused.pause(at), PausedMessages::Added::before);
  EXPECT_TRUE(paused.holds(at));
  EXPECT_FALSE(paused.holds(queue::Locator(1, 64, 8)));
  paused.lift(at);
  EXPECT_FALSE(paused.holds(at));
  EXPECT_EQ(paused.size(), 0u);
}

TEST(PausedMessages, TakesNoMoreThanItsBound) {
  PausedMessages paused;
  for (std::uint32_t i = 0; i < PausedMessages::kMessagesMax; ++i) {
    ASSERT_EQ(paused.pause(queue::Locator(1, 64, i)), PausedMessages::Added::now);
  }
  const queue::Locator one_more(2, 64, 0);
  EXPECT_EQ(paused.pause(one_more), PausedMessages::Added::full);
  EXPECT_FALSE(paused.holds(one_more));
  paused.lift(queue::Locator(1, 64, 0));
  EXPECT_EQ(paused.pause(one_more), PausedMessages::Added::now);
}

TEST(PausedMessages, AreOrderedAboutByOneAtATime) {
  PausedMessages paused;
  const queue::Locator at(1, 64, 7);
  EXPECT_TRUE(paused.begin_order(at));
  EXPECT_FALSE(paused.begin_order(at));
  EXPECT_TRUE(paused.begin_order(queue::Locator(1, 64, 8)));
  paused.end_order(at);
  EXPECT_TRUE(paused.begin_order(at));
}

TEST(BuriedMessages, HoldAMessageUntilItsTicketHasTurnedUpAndNoMoreThanTheirBound) {
  BuriedMessages buried;
  const queue::Locator at(2, 64, 7);
  EXPECT_FALSE(buried.holds(at));
  buried.unbury(at);
  EXPECT_TRUE(buried.bury(at));
  EXPECT_TRUE(buried.bury(at));
  EXPECT_EQ(buried.size(), 1u);
  EXPECT_TRUE(buried.holds(at));
  buried.unbury(at);
  EXPECT_FALSE(buried.holds(at));
  for (std::uint32_t i = 0; i < BuriedMessages::kMessagesMax; ++i) {
    ASSERT_TRUE(buried.bury(queue::Locator(1, 64, i)));
  }
  EXPECT_FALSE(buried.bury(at));
  EXPECT_FALSE(buried.holds(at));
}

TEST(NotedMessages, WhatAStartFindsStaysBeItMoreThanTheBound) {
  PausedMessages paused;
  for (std::uint32_t i = 0; i <= PausedMessages::kMessagesMax; ++i) {
    paused.restore(queue::Locator(1, 64, i));
  }
  EXPECT_EQ(paused.size(), PausedMessages::kMessagesMax + 1);
  EXPECT_EQ(paused.pause(queue::Locator(2, 64, 0)), PausedMessages::Added::full);
}

TEST(NotedMessages, MayBeAskedForWhileOtherThreadsChangeThem) {
  PausedMessages paused;
  const queue::Locator stays(2, 64, 0);
  ASSERT_EQ(paused.pause(stays), PausedMessages::Added::now);
  std::atomic<bool> is_over{false};
  std::thread asks([&] {
    while (!is_over.load()) {
      EXPECT_TRUE(paused.holds(stays));
      EXPECT_GE(paused.size(), 1u);
      std::this_thread::yield();
    }
  });
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const queue::Locator at(1, 64, i);
    EXPECT_EQ(paused.pause(at), PausedMessages::Added::now);
    if (i % 2 == 0) paused.lift(at);
  }
  is_over.store(true);
  asks.join();
  EXPECT_EQ(paused.size(), 1001u);
}

}  // namespace
}  // namespace stentor::daemon
