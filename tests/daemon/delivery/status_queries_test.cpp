#include "daemon/delivery/status_queries.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

queue::Locator place(std::uint32_t offset) {
  return {7, offset, 1};
}

TEST(StatusQueries, AsksAboutWhatIsDueInTheOrderOfTime) {
  StatusQueries queries;
  EXPECT_TRUE(queries.put({.at = place(64), .part = 1, .message_id = "late"}, kStart + 20s));
  EXPECT_TRUE(queries.put({.at = place(128), .part = 2, .message_id = "early"}, kStart + 10s));

  EXPECT_FALSE(queries.take_due(kStart + 9s));
  const auto first = queries.take_due(kStart + 30s);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->message_id, "early");
  EXPECT_EQ(first->at, place(128));
  EXPECT_EQ(first->part, 2);
  EXPECT_EQ(queries.take_due(kStart + 30s)->message_id, "late");
  EXPECT_FALSE(queries.take_due(kStart + 30s));
  EXPECT_EQ(queries.size(), 0u);
}

TEST(StatusQueries, DoesNotAskWhenTheReceiptCame) {
  StatusQueries queries;
  EXPECT_TRUE(queries.put({.at = place(64), .part = 1, .message_id = "one"}, kStart));
  EXPECT_TRUE(queries.put({.at = place(64), .part = 2, .message_id = "two"}, kStart));
  queries.forget(place(64), 1);
  queries.forget(place(640), 1);  // never known

  EXPECT_EQ(queries.take_due(kStart)->message_id, "two");
  EXPECT_FALSE(queries.take_due(kStart));
}

TEST(StatusQueries, KeepsNothingOfTheMillionsThatWereAnswered) {
  StatusQueries queries;
  for (std::uint32_t i = 1; i <= 100'000; ++i) {
    EXPECT_TRUE(queries.put({.at = place(i * 64), .part = 1, .message_id = "x"}, kStart + 1h));
    queries.forget(place(i * 64), 1);
  }
  EXPECT_EQ(queries.size(), 0u);
  EXPECT_FALSE(queries.take_due(kStart + 2h));
}

TEST(StatusQueries, IsBounded) {
  StatusQueries queries(10);
  for (std::uint32_t i = 1; i <= 10; ++i) {
    ASSERT_TRUE(queries.put({.at = queue::Locator(i), .part = 1, .message_id = "x"}, kStart));
  }
  EXPECT_FALSE(queries.put({.at = queue::Locator(1), .part = 2, .message_id = "x"}, kStart));
  (void)queries.take_due(kStart);
  EXPECT_TRUE(queries.put({.at = queue::Locator(1), .part = 2, .message_id = "x"}, kStart));
}

}  // namespace
}  // namespace stentor::daemon
