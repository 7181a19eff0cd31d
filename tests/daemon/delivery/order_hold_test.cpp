#include "daemon/delivery/order_hold.h"

#include <gtest/gtest.h>

#include <vector>

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using queue::Priority;

constexpr std::uint64_t kStartMs = 1'000'000'000;
constexpr std::uint64_t kHold = 10'000;

queue::Ticket ticket(std::uint32_t number, std::uint32_t key = 1,
                     std::uint32_t expires = 4'000'000) {
  return {.at = queue::Locator(1, 0, number), .expires = expires, .key = key};
}

queue::Lanes::Pick pick(std::uint32_t number, std::uint32_t key = 1, queue::Flow flow = 7) {
  return {.ticket = ticket(number, key), .flow = flow, .priority = Priority::normal};
}

std::vector<std::uint32_t> released(OrderHold& order) {
  std::vector<std::uint32_t> numbers;
  for (const auto& pick : order.take_released()) numbers.push_back(pick.ticket.at.record());
  return numbers;
}

TEST(OrderHold, HoldsBackLaterOnesOfTheSameKeyAndNobodyElse) {
  OrderHold order(10s);
  EXPECT_FALSE(order.holds_back(ticket(6), kStartMs));
  order.hold(ticket(5), kStartMs, kStartMs);
  EXPECT_TRUE(order.holds_back(ticket(6), kStartMs));
  EXPECT_FALSE(order.holds_back(ticket(4), kStartMs)) << "accepted before it";
  EXPECT_FALSE(order.holds_back(ticket(5), kStartMs)) << "itself";
  EXPECT_FALSE(order.holds_back(ticket(6, 2), kStartMs)) << "another key";
}

TEST(OrderHold, LetsGoWhenTheEarlierOneGoesOnLastAcceptedFirst) {
  OrderHold order(10s);
  order.hold(ticket(5), kStartMs, kStartMs);
  for (const std::uint32_t number : {6u, 7u, 9u}) order.park(pick(number), kStartMs);
  EXPECT_EQ(order.waiting(), 3);
  EXPECT_EQ(order.waiting(Priority::normal), 3);
  EXPECT_EQ(order.waiting_of(7), 3);
  EXPECT_TRUE(released(order).empty());
  order.end(queue::Locator(1, 0, 5), kStartMs + 3000);
  EXPECT_FALSE(order.is_idle()) << "somebody must take them";
  EXPECT_EQ(order.next_ms(), 0);
  EXPECT_EQ(released(order), (std::vector<std::uint32_t>{9, 7, 6}));
  EXPECT_EQ(order.waiting(), 0);
  EXPECT_TRUE(order.is_idle());
}

TEST(OrderHold, NobodyOvertakesWhatWasReleasedAndIsNotTakenYet) {
  OrderHold order(10s);
  order.hold(ticket(5), kStartMs, kStartMs);
  for (const std::uint32_t number : {6u, 7u}) order.park(pick(number), kStartMs);
  order.end(queue::Locator(1, 0, 5), kStartMs);
  EXPECT_TRUE(order.holds_back(ticket(8), kStartMs));
  EXPECT_FALSE(order.holds_back(ticket(8, 2), kStartMs)) << "another key";
  order.park(pick(8), kStartMs);
  EXPECT_EQ(released(order), (std::vector<std::uint32_t>{8, 7, 6}));
  EXPECT_FALSE(order.holds_back(ticket(9), kStartMs));
  EXPECT_TRUE(order.is_idle());
}

TEST(OrderHold, LetsThemPassAfterItsTimeToTheMillisecondAndSaysWhomTheyPass) {
  OrderHold order(10s);
  order.hold(ticket(5), kStartMs, kStartMs + 4000);  // refused for the second time
  order.park(pick(6), kStartMs + 4000);
  EXPECT_EQ(order.next_ms(), kStartMs + kHold);
  order.on_time(kStartMs + kHold - 1);
  EXPECT_TRUE(released(order).empty());
  order.on_time(kStartMs + kHold);
  EXPECT_EQ(released(order), (std::vector<std::uint32_t>{6}));
  EXPECT_FALSE(order.holds_back(ticket(8), kStartMs + kHold));
  EXPECT_EQ(order.passes(ticket(8)), queue::Locator(1, 0, 5));
  EXPECT_FALSE(order.passes(ticket(4)));
  order.hold(ticket(5), kStartMs, kStartMs + kHold + 1);  // refused again: its time is over
  EXPECT_FALSE(order.holds_back(ticket(8), kStartMs + kHold + 1));
  order.end(queue::Locator(1, 0, 5), kStartMs + kHold + 1);
  EXPECT_FALSE(order.passes(ticket(8)));
}

TEST(OrderHold, WaitsForEachOfSeveralEarlierOnes) {
  OrderHold order(10s);
  order.hold(ticket(5), kStartMs, kStartMs);
  order.hold(ticket(7), kStartMs + 4000, kStartMs + 4000);
  order.park(pick(6), kStartMs + 4000);
  order.park(pick(8), kStartMs + 4000);
  order.on_time(kStartMs + kHold);
  EXPECT_EQ(released(order), (std::vector<std::uint32_t>{6}));
  order.on_time(kStartMs + kHold + 4000);
  EXPECT_EQ(released(order), (std::vector<std::uint32_t>{8}));
}

TEST(OrderHold, AClockSetBackHoldsForNoLonger) {
  OrderHold order(10s);
  order.hold(ticket(5), kStartMs + 3'600'000, kStartMs);
  EXPECT_TRUE(order.holds_back(ticket(6), kStartMs));
  EXPECT_FALSE(order.holds_back(ticket(6), kStartMs + kHold));
}

TEST(OrderHold, OfZeroHoldsNothing) {
  OrderHold order(0s);
  order.hold(ticket(5), kStartMs, kStartMs);
  EXPECT_TRUE(order.is_idle());
}

TEST(OrderHold, GivesBackAFlowThatIsHeldOrCancelled) {
  OrderHold order(10s);
  order.hold(ticket(5), kStartMs, kStartMs);
  order.park(pick(6, 1, 7), kStartMs);
  order.park(pick(7, 1, 8), kStartMs);
  order.release_flow(7);
  EXPECT_EQ(released(order), (std::vector<std::uint32_t>{6}));
  order.release_all();
  EXPECT_EQ(released(order), (std::vector<std::uint32_t>{7}));
}

TEST(OrderHold, WhatExpiresWhileItIsHeldBackIsTakenInItsSecond) {
  OrderHold order(10s);
  order.hold(ticket(5), kStartMs, kStartMs);
  auto early = pick(6);
  early.ticket.expires = 1'000'004;
  order.park(early, kStartMs);
  order.park(pick(7), kStartMs);
  EXPECT_EQ(order.earliest_expiry(), 1'000'004);
  EXPECT_TRUE(order.take_expired(1'000'003, 10).empty());
  ASSERT_EQ(order.take_expired(1'000'004, 10).size(), 1);
  EXPECT_EQ(order.waiting(), 1);
}

TEST(OrderHold, GivesOrderUpForAKeyRatherThanMemory) {
  OrderHold order(10s);
  order.hold(ticket(5), kStartMs, kStartMs);
  order.hold(ticket(6, 2), kStartMs, kStartMs);
  for (std::uint32_t i = 0; i < OrderHold::kWaitingMax; ++i) order.park(pick(10 + i), kStartMs);
  EXPECT_EQ(order.waiting(), OrderHold::kWaitingMax);
  order.park(pick(9, 2), kStartMs);
  EXPECT_EQ(order.waiting(), OrderHold::kWaitingMax);
  EXPECT_EQ(released(order), (std::vector<std::uint32_t>{9}));
  EXPECT_FALSE(order.holds_back(ticket(20, 2), kStartMs));
}

}  // namespace
}  // namespace stentor::daemon
