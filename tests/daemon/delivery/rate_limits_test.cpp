#include "daemon/delivery/rate_limits.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using queue::Priority;

using test::kStart;

const std::vector<RateLimit> kLimits = {
    {.sender = "SHOP*", .prefix = "", .rate = 10},
    {.sender = "", .prefix = "79", .rate = 5},
    {.sender = "", .prefix = "7916", .rate = 50},
};

queue::Lanes::Pick of_number(std::uint32_t number) {
  return {.ticket = {.at = queue::Locator(1, number, 0), .expires = 4000000000u, .key = number},
          .flow = 7,
          .priority = Priority::normal};
}

TEST(RateLimits, FindTheFirstSenderAndTheLongestPrefix) {
  const RateLimits limits(kLimits);
  EXPECT_EQ(limits.match("SHOPPING", "+79161234567"),
            (RateLimits::Match{.sender = 0, .prefix = 2}));
  EXPECT_EQ(limits.match("BANK", "+79031234567"), (RateLimits::Match{.prefix = 1}));
  EXPECT_FALSE(limits.match("BANK", "+375291234567").is_any());
}

TEST(RateLimits, LetNoMoreThroughInASecondThanTheirRate) {
  RateLimits limits(kLimits);
  const auto match = limits.match("SHOP", "+375291234567");
  int gone = 0;
  for (auto now = kStart; now < kStart + 10s; now += 1ms) {
    if (!limits.may_go(match, now)) continue;
    limits.take(match, 1, now);
    ++gone;
  }
  EXPECT_GE(gone, 99);
  EXPECT_LE(gone, 101);
}

TEST(RateLimits, SaveNothingUp) {
  RateLimits limits(kLimits);
  const auto match = limits.match("SHOP", "+375291234567");
  limits.take(match, 1, kStart);
  const auto later = kStart + 1h;
  int at_once = 0;
  while (limits.may_go(match, later)) {
    limits.take(match, 1, later);
    ++at_once;
  }
  EXPECT_EQ(at_once, 1);
}

TEST(RateLimits, LetALongMessageGoWholeAndArePaidAfterwards) {
  RateLimits limits(kLimits);
  const auto match = limits.match("SHOP", "+375291234567");
  ASSERT_TRUE(limits.may_go(match, kStart));
  limits.take(match, 10, kStart);
  EXPECT_FALSE(limits.may_go(match, kStart + 970ms));
  EXPECT_TRUE(limits.may_go(match, kStart + 1s));
}

TEST(RateLimits, ParkedMessagesGoFirstInTheirOrder) {
  RateLimits limits(kLimits);
  const auto match = limits.match("SHOP", "+375291234567");
  limits.take(match, 1, kStart);
  limits.park(match, of_number(1), 100);
  limits.park(match, of_number(2), 100);
  EXPECT_EQ(limits.waiting(), 2u);
  EXPECT_EQ(limits.next(), kStart + 80ms) << "100 ms less the 20 that may be made up for";
  EXPECT_FALSE(limits.pop_ready(kStart + 79ms));
  EXPECT_FALSE(limits.may_go(match, kStart + 1s)) << "what is parked came first";

  auto first = limits.pop_ready(kStart + 100ms);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->pick.ticket.key, 1u);
  limits.put_back(*first, 100);
  first = limits.pop_ready(kStart + 100ms);
  EXPECT_EQ(first->pick.ticket.key, 1u) << "put back means first again";
  EXPECT_EQ(limits.pop_ready(kStart + 100ms)->pick.ticket.key, 2u);
  EXPECT_EQ(limits.waiting(), 0u);
  EXPECT_EQ(limits.next(), RateLimits::TimePoint::max());
}

TEST(RateLimits, DoNotHoldUpOneAnother) {
  RateLimits limits(kLimits);
  const auto shop = limits.match("SHOP", "+375291234567");
  const auto both = limits.match("SHOP", "+79031234567");
  const auto bank = limits.match("BANK", "+79161234567");
  limits.take(both, 100, kStart);  // sender and prefix both used up for long
  limits.park(shop, of_number(1), 100);
  limits.park(both, of_number(2), 100);
  EXPECT_TRUE(limits.may_go(bank, kStart)) << "a prefix of its own";
  EXPECT_EQ(limits.holding_most(), "sender SHOP*");
  const auto ready = limits.pop_ready(kStart + 10s);
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->pick.ticket.key, 1u) << "the prefix holds the other for 20 s";
  EXPECT_FALSE(limits.pop_ready(kStart + 19s));
  EXPECT_EQ(limits.holding_most(), "prefix 79");
  EXPECT_TRUE(limits.pop_ready(kStart + 20s));
}

TEST(RateLimits, ExpireWhatIsParked) {
  RateLimits limits(kLimits);
  const auto match = limits.match("SHOP", "+375291234567");
  auto early = of_number(1);
  early.ticket.expires = 1000;
  limits.park(match, early, 100);
  limits.park(match, of_number(2), 100);
  std::vector<std::uint32_t> expired;
  limits.take_expired(1000, 10,
                      [&](const queue::Lanes::Pick& p) { expired.push_back(p.ticket.key); });
  EXPECT_EQ(expired, std::vector<std::uint32_t>{1});
  EXPECT_EQ(limits.waiting(), 1u);
  EXPECT_EQ(limits.waiting(Priority::normal), 1u);
}

TEST(RateLimits, GiveOutAFlowThatIsCancelled) {
  RateLimits limits(kLimits);
  const auto shop = limits.match("SHOP", "+375291234567");
  const auto both = limits.match("SHOP", "+79031234567");
  limits.park(shop, of_number(1), 100);
  limits.park(both, of_number(2), 100);
  auto other = of_number(3);
  other.flow = 8;
  limits.park(both, other, 100);
  EXPECT_EQ(limits.waiting_of(7), 2u);
  std::size_t taken = 0;
  const auto count = [&](const queue::Lanes::Pick&) { ++taken; };
  EXPECT_EQ(limits.take_flow(7, 1, count), 1u);
  EXPECT_EQ(limits.take_flow(7, 10, count), 1u);
  EXPECT_EQ(taken, 2u);
  EXPECT_EQ(limits.waiting(), 1u);
  EXPECT_EQ(limits.waiting_of(8), 1u);
}

}  // namespace
}  // namespace stentor::daemon
