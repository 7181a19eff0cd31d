#include "daemon/delivery/stuck_carrier.h"

#include <gtest/gtest.h>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

TEST(StuckCarrier, IsStuckFromABindWithoutAnswersToTheNextAnswer) {
  StuckCarrier carrier(60s);
  EXPECT_FALSE(carrier.is_stuck());
  EXPECT_TRUE(carrier.on_no_progress(kStart));
  EXPECT_FALSE(carrier.on_no_progress(kStart + 1s)) << "known already";
  EXPECT_TRUE(carrier.is_stuck());
  EXPECT_TRUE(carrier.on_answer(kStart + 2s));
  EXPECT_FALSE(carrier.on_answer(kStart + 3s)) << "known already";
  EXPECT_FALSE(carrier.is_stuck());
}

TEST(StuckCarrier, IsNotWhileAnotherOfItsBindsIsAnswered) {
  StuckCarrier carrier(60s);
  carrier.on_answer(kStart);
  EXPECT_FALSE(carrier.on_no_progress(kStart + 59s));
  EXPECT_FALSE(carrier.is_stuck());
  EXPECT_TRUE(carrier.on_no_progress(kStart + 60s));
}

TEST(StuckCarrier, WelcomesAMessageWhenNothingIsThereToProveItselfWith) {
  StuckCarrier carrier(60s);
  carrier.on_no_progress(kStart);
  EXPECT_FALSE(carrier.lacks_probe());
  EXPECT_TRUE(carrier.on_probe(false));
  EXPECT_FALSE(carrier.on_probe(false)) << "known already";
  EXPECT_TRUE(carrier.lacks_probe());
  EXPECT_TRUE(carrier.on_probe(true));
  EXPECT_FALSE(carrier.lacks_probe());
  carrier.on_probe(false);
  carrier.on_answer(kStart + 1s);
  EXPECT_FALSE(carrier.lacks_probe()) << "it takes all again";
}

}  // namespace
}  // namespace stentor::daemon
