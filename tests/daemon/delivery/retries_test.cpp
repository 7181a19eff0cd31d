#include "daemon/delivery/retries.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

Retry refused(std::uint8_t attempts) {
  Retry retry;
  retry.attempts = attempts;
  return retry;
}

TEST(Retries, RememberUntilTheyAreAsked) {
  Retries retries;
  EXPECT_TRUE(retries.keep(queue::Locator(1), refused(3)));
  ASSERT_NE(retries.find(queue::Locator(1)), nullptr);
  EXPECT_EQ(retries.take(queue::Locator(1)).attempts, 3);
  EXPECT_FALSE(retries.contains(queue::Locator(1)));
  EXPECT_EQ(retries.take(queue::Locator(1)).attempts, 0) << "nothing is known any more";
}

TEST(Retries, KeepNothingThatSaysNothing) {
  Retries retries;
  EXPECT_TRUE(retries.keep(queue::Locator(1), refused(3)));
  EXPECT_TRUE(retries.keep(queue::Locator(1), Retry{}));
  EXPECT_EQ(retries.size(), 0u);
}

TEST(Retries, ForgetCountsBeyondTheirBoundAndNothingElse) {
  Retries retries(2);
  EXPECT_TRUE(retries.keep(queue::Locator(1), refused(1)));
  EXPECT_TRUE(retries.keep(queue::Locator(2), refused(1)));
  EXPECT_FALSE(retries.keep(queue::Locator(3), refused(1)));
  EXPECT_FALSE(retries.contains(queue::Locator(3)));
  EXPECT_TRUE(retries.keep(queue::Locator(2), refused(2))) << "it has its place";
  EXPECT_EQ(retries.find(queue::Locator(2))->attempts, 2);

  Retry may_be_there = refused(1);
  may_be_there.possible_duplicate = true;
  EXPECT_TRUE(retries.keep(queue::Locator(4), may_be_there));
  Retry is_there_in_part = refused(1);
  is_there_in_part.taken = {true, false};
  EXPECT_TRUE(retries.keep(queue::Locator(5), is_there_in_part));
  EXPECT_EQ(retries.size(), 4u);

  retries.forget(queue::Locator(4));
  retries.forget(queue::Locator(5));
  retries.forget(queue::Locator(1));
  EXPECT_TRUE(retries.keep(queue::Locator(3), refused(1))) << "there is room again";
}

}  // namespace
}  // namespace stentor::daemon
