#include "daemon/delivery/full_queue.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(FullQueue, IsOneDestinationsHoweverOftenThatHearsIt) {
  FullQueue queue;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(queue.on_full("+79160000001"));
}

TEST(FullQueue, IsTheCarriersWhenTwoHearItAndNobodyIsTaken) {
  FullQueue queue;
  EXPECT_FALSE(queue.on_full("+79160000001"));
  EXPECT_TRUE(queue.on_full("+79160000002"));
  EXPECT_TRUE(queue.on_full("+79160000002")) << "still nobody was taken";
}

TEST(FullQueue, IsNoLongerTheCarriersOnceSomebodyIsTaken) {
  FullQueue queue;
  (void)queue.on_full("+79160000001");
  (void)queue.on_full("+79160000002");
  queue.on_accepted();
  EXPECT_FALSE(queue.on_full("+79160000001"));
  queue.on_accepted();
  EXPECT_FALSE(queue.on_full("+79160000002"));
}

}  // namespace
}  // namespace stentor::daemon
