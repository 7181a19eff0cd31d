#include "daemon/delivery/full_queue.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using Whose = FullQueue::Whose;

constexpr std::string_view kOne = "+79160000001";
constexpr std::string_view kOther = "+79160000002";
constexpr std::string_view kThird = "+79160000003";

TEST(FullQueue, IsOneDestinationsHoweverOftenThatHearsIt) {
  FullQueue queue;
  EXPECT_EQ(queue.on_full(kOne), Whose::not_known);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(queue.on_full(kOne), Whose::destinations);
    if (i % 2 == 0) queue.on_accepted(kOther);
  }
}

TEST(FullQueue, IsTheCarriersWhenTwoHearItAndNobodyIsTaken) {
  FullQueue queue;
  EXPECT_EQ(queue.on_full(kOne), Whose::not_known);
  EXPECT_EQ(queue.on_full(kOther), Whose::carriers);
  EXPECT_EQ(queue.on_full(kOther), Whose::carriers) << "still nobody was taken";
}

TEST(FullQueue, IsNoLongerTheCarriersOnceSomebodyIsTaken) {
  FullQueue queue;
  (void)queue.on_full(kOne);
  (void)queue.on_full(kOther);
  queue.on_accepted(kThird);
  EXPECT_EQ(queue.on_full(kOther), Whose::destinations);
  queue.on_accepted(kThird);
  EXPECT_EQ(queue.on_full(kOne), Whose::not_known);
}

TEST(FullQueue, IsHeededAgainWhenItHadDrainedAndFilled) {
  FullQueue queue;
  (void)queue.on_full(kOne);
  queue.on_accepted(kOne);
  EXPECT_EQ(queue.on_full(kOne), Whose::not_known);
}

}  // namespace
}  // namespace stentor::daemon
